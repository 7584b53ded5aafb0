import { byteSize, duration, integer, oneOf, path, secret, text, url } from "../setting-kinds.ts";
import { optional } from "../setting.ts";

export const serverSettings = {
  config: optional(
    path({
      default: "",
      inFile: false,
      help: "The configuration file. Without it `berth.config.json` in the data folder is read when it is there.",
    }),
  ),
  data: path({ default: "./berth-data", help: "The folder that holds everything the server keeps." }),
  host: text({
    default: "127.0.0.1",
    type: "host name or address",
    pattern: /^[\w.:-]{1,253}$/,
    help: "Where the server listens. Anything but loopback lets other machines in: give it TLS.",
  }),
  port: integer({
    default: 7420,
    min: 0,
    max: 65_535,
    help: "The port it listens on; 0 takes any that is free.",
  }),
  mode: oneOf({
    default: "single",
    of: ["single", "multi"],
    help: "Whom the server is for: `single`, one organization with one owner; `multi`, many organizations that trust neither each other nor their tools.",
  }),
  adminKey: secret({
    pattern: /^[\u0021-\u007e]{20,200}$/,
    type: "a key of 20 to 200 printable characters without spaces",
    help: "The key that may do everything. Without it one is made at the first start and kept in `admin.key` in the data folder.",
  }),
  bodyLimit: byteSize({
    default: "1MiB",
    min: "1KiB",
    max: "64MiB",
    help: "The biggest request body but for uploads.",
  }),
  uploadLimit: byteSize({
    default: "32MiB",
    min: "1KiB",
    max: "4GiB",
    help: "The biggest file that may be uploaded.",
  }),
  drainTimeout: duration({
    default: "20s",
    min: "0",
    max: "1h",
    help: "How long a stopping server lets running steps finish before it hands them over.",
  }),
  sseHeartbeat: duration({
    default: "10s",
    min: "1s",
    max: "5m",
    help: "How often a silent event stream says that it lives, so that no proxy cuts it.",
  }),
  followerBuffer: byteSize({
    default: "1MiB",
    min: "16KiB",
    max: "64MiB",
    help: "What is kept for a follower that reads slowly. Above it the follower is sent back to reading from the store.",
  }),
  maxStreams: integer({
    default: 1_000,
    min: 1,
    max: 1_000_000,
    help: "Event streams and WebSockets that one key may have open at once. A back end that serves many people with one key needs one for each.",
  }),
} as const;

export const logSettings = {
  logLevel: oneOf({
    default: "info",
    of: ["debug", "info", "warn", "error", "silent"],
    help: "The least important lines that are written.",
  }),
  logFormat: oneOf({
    default: "auto",
    of: ["auto", "json", "text"],
    help: "How lines are written to standard error; `auto` is text on a terminal and JSON elsewhere.",
  }),
  eventLoopSlow: duration({
    default: "200ms",
    min: "10ms",
    max: "1m",
    help: "A block of the event loop that is longer gets a line in the log.",
  }),
} as const;

export const clientSettings = {
  url: optional(
    url({
      default: "",
      help: "The server that the command line talks to. Without it the one that `host` and `port` name.",
    }),
  ),
  ca: optional(
    path({
      default: "",
      help: "The authority of the server's certificate as PEM, when it is none that this machine knows.",
    }),
  ),
  clientCert: optional(
    path({ default: "", help: "A certificate as PEM that the command line shows to the server." }),
  ),
  clientKey: optional(path({ default: "", help: "The private key of that certificate, as PEM." })),
  apiKey: secret({
    help: "The key that the command line sends. Without it `BERTH_ADMIN_KEY`, else `admin.key` of the data folder.",
  }),
} as const;
