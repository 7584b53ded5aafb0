import { networks, origins, rate } from "../network-kinds.ts";
import { boolean, byteSize, duration, integer, oneOf, path } from "../setting-kinds.ts";
import { optional } from "../setting.ts";

const file = (help: string) => optional(path({ default: "", help }));

/** Who reaches the server, and how. */
export const networkSettings = {
  tlsCert: file(
    "The server's certificate as PEM, with those between it and its authority. With `tlsKey` the server speaks TLS; SIGHUP reads the files again.",
  ),
  tlsKey: file("The private key of that certificate, as PEM."),
  tlsClientAuth: oneOf({
    default: "off",
    of: ["off", "optional", "required"],
    help: "Whether clients show a certificate: `required` lets nobody else connect, `optional` leaves other credentials to them.",
  }),
  tlsClientCa: file("The authorities of clients' certificates, as PEM."),
  tlsClientCrl: file(
    "What those authorities have revoked, as PEM. An authority without a list, or with one that has expired, is not trusted then.",
  ),
  trustedProxies: networks({
    help: "The proxies in front of the server. Only they may say with `X-Forwarded-For`, `-Proto` and `-Host` whom they speak for.",
  }),
  adminAllow: networks({
    help: "From where the admin key is taken; from anywhere when the list is empty.",
  }),
  corsOrigins: origins({
    help: "Origins of web pages that may call the API with credentials, besides the server's own.",
  }),
} as const;

/** What a connection, a request or a stream may cost. */
export const limitSettings = {
  headerLimit: byteSize({
    default: "16KiB",
    min: "4KiB",
    max: "256KiB",
    help: "All headers of a request together, with its first line.",
  }),
  urlLimit: byteSize({
    default: "8KiB",
    min: "1KiB",
    max: "64KiB",
    help: "The longest address of a request.",
  }),
  headersTimeout: duration({
    default: "10s",
    min: "1s",
    max: "5m",
    help: "How long a client may take to send the headers of a request.",
  }),
  requestTimeout: duration({
    default: "30s",
    min: "1s",
    max: "1h",
    help: "How long it may take to send the whole request. Raise it for big uploads over slow lines.",
  }),
  stuckTimeout: duration({
    default: "1m",
    min: "1s",
    max: "1h",
    help: "A client that takes no byte of its answer for so long is cut.",
  }),
  maxConnections: integer({
    default: 5_000,
    min: 1,
    max: 1_000_000,
    help: "Connections at once. One more is closed as soon as it is made.",
  }),
  maxConnectionsPerAddress: integer({
    default: 1_000,
    min: 1,
    max: 1_000_000,
    help: "Connections at once from one address, or one /64 of IPv6. Trusted proxies and this machine itself are not counted.",
  }),
  maxStreamsPerOrg: integer({
    default: 10_000,
    min: 1,
    max: 1_000_000,
    help: "Event streams and WebSockets that one organization may have open at once.",
  }),
  maxStreamsPerAddress: integer({
    default: 2_000,
    min: 1,
    max: 1_000_000,
    help: "Event streams and WebSockets open at once from one address, or one /64 of IPv6. This machine itself is not counted.",
  }),
  maxRequests: integer({
    default: 2_000,
    min: 10,
    max: 1_000_000,
    help: "Requests that are answered at once. One more gets 503 and is asked to come again; streams do not count.",
  }),
  overloadDelay: duration({
    default: "1s",
    min: "50ms",
    max: "1m",
    help: "When the process is so late in doing what is due, requests get 503 until it has caught up. `/healthz` always answers.",
  }),
} as const;

/** How often may be asked. */
export const rateSettings = {
  rateLimits: boolean({
    default: true,
    help: "Whether requests are counted. The admin key and this machine's own address never are.",
  }),
  rateRead: rate({
    default: { count: 3_000, perMs: 60_000 },
    help: "Reads with one key or login: so many at once, and as many again in that time.",
  }),
  rateWrite: rate({
    default: { count: 1_200, perMs: 60_000 },
    help: "Changes with one key or login; each message over a WebSocket is one.",
  }),
  rateHeavy: rate({
    default: { count: 120, perMs: 60_000 },
    help: "Requests that cost much, such as exports and searches in files.",
  }),
  rateLogin: rate({
    default: { count: 30, perMs: 60_000 },
    help: "Requests that log somebody in or set a password, for each address.",
  }),
  ratePrincipalFactor: integer({
    default: 2,
    min: 1,
    max: 1_000,
    help: "How many times that one user or service account may ask, over all its keys.",
  }),
  rateOrgFactor: integer({
    default: 20,
    min: 1,
    max: 10_000,
    help: "How many times that one organization may ask.",
  }),
  rateAddressFactor: integer({
    default: 10,
    min: 1,
    max: 10_000,
    help: "How many times that may be asked from one address, or one /64 of IPv6, whoever it is. A wrong credential counts 20 times.",
  }),
} as const;
