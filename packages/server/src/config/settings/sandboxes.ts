import { byteSize, duration, integer, list, oneOf, path, text } from "../setting-kinds.ts";
import { hostAddresses } from "../network-kinds.ts";
import { optional } from "../setting.ts";

/** Where tools run, what one sandbox may take, and how many there may be. */
export const sandboxSettings = {
  sandbox: oneOf({
    of: ["auto", "bubblewrap", "remote", "local-process", "none"],
    default: "auto",
    help: "Where commands of agents run. `auto`: remote hosts if any are named, else bubblewrap where this machine can isolate, else in mode single as plain processes (not isolated) and in mode multi nowhere.",
  }),
  sandboxRootfs: optional(
    path({
      default: "",
      help: "A folder with the system that sandboxes see, for example one made by debootstrap: with bash, coreutils, script and the C and C++ libraries that the server's Node needs, and readable by everybody. Not set: this machine's /usr without /usr/local.",
    }),
  ),
  sandboxMemory: byteSize({
    default: "512MiB",
    min: "64MiB",
    max: "64GiB",
    help: "Memory of one sandbox. What needs more is ended. Agents may ask for another limit up to sandboxMemoryMax.",
  }),
  sandboxMemoryMax: byteSize({
    default: "4GiB",
    min: "64MiB",
    max: "1024GiB",
    help: "The most memory that an agent may ask for.",
  }),
  sandboxCpuPercent: integer({
    default: 100,
    min: 5,
    max: 6_400,
    help: "Processor time of one sandbox, in percent of one processor. Agents may ask for up to 400.",
  }),
  sandboxPids: integer({
    default: 128,
    min: 16,
    max: 1_024,
    help: "Processes and threads in one sandbox.",
  }),
  sandboxDisk: byteSize({
    default: "1GiB",
    min: "16MiB",
    max: "20GiB",
    help: "Bytes of one workspace.",
  }),
  sandboxFiles: integer({
    default: 100_000,
    min: 100,
    max: 10_000_000,
    help: "Files and folders of one workspace.",
  }),
  sandboxWarm: integer({
    default: 0,
    min: 0,
    max: 100,
    help: "Sandboxes that are kept ready before anybody needs one.",
  }),
  sandboxEgressAllow: list({
    default: [],
    each: /^(?:(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):\d{1,5}|[0-9A-Fa-f.:]{2,45}\/\d{1,3})$/,
    what: "host:port or networks",
    help: "Private places that sandboxes may reach where their agents name them, such as `registry.internal:443` or `10.1.0.0/16`.",
  }),
  sandboxIdleTtl: duration({
    default: "15m",
    min: "1s",
    max: "24h",
    help: "After how long without a command a sandbox is taken back. Its workspace stays.",
  }),
  sandboxMaxLife: duration({
    default: "4h",
    min: "1m",
    max: "24h",
    help: "How long a sandbox lives at most. The next command gets a new one with the same workspace.",
  }),
  sandboxesPerUser: integer({
    default: 5,
    min: 1,
    max: 100,
    help: "Sandboxes that one user may have at once; a user's own setting may only lower it.",
  }),
  sandboxesPerOrg: integer({
    default: 50,
    min: 1,
    max: 10_000,
    help: "Sandboxes that one organization may have at once.",
  }),
  sandboxesPerHost: integer({
    default: 100,
    min: 1,
    max: 10_000,
    help: "Sandboxes on one machine at once. Their memory limits together never exceed 80 % of its memory.",
  }),
  sandboxWait: duration({
    default: "30s",
    min: "0s",
    max: "10m",
    help: "How long a command waits for a free sandbox before it is refused.",
  }),
  previewDomain: optional(
    text({
      default: "",
      type: "a domain name in lower case",
      pattern: /^(?=.{1,200}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
      help: "The domain of previews of sandboxes' ports: every name below it leads to this server, and it is no parent of the server's own name. Not set: localhost when the server listens on this machine alone, else there are no previews.",
    }),
  ),
  sandboxHosts: hostAddresses({
    help: "Where sandbox hosts are (`berth sandbox-host`), by address or as `name=address`. The name is kept with each sandbox and is the host's own; without one it is the host and port of the address. Plain http is taken only to this machine.",
  }),
  sandboxHostKeyFile: optional(
    path({
      default: "",
      help: "The private key that signs tokens for sandbox hosts, as PEM or JWK, made by `berth sandbox-host keys`. Needed when there are sandbox hosts.",
    }),
  ),
  sandboxHostCa: optional(
    path({
      default: "",
      help: "The authority of sandbox hosts' certificates as PEM, when it is none that this machine knows.",
    }),
  ),
  sandboxHostCert: optional(
    path({ default: "", help: "A certificate as PEM that this server shows to sandbox hosts." }),
  ),
  sandboxHostCertKey: optional(path({ default: "", help: "The private key of that certificate, as PEM." })),
  sandboxHostName: optional(
    text({
      default: "",
      type: "letters, digits, dots, colons, dashes",
      pattern: /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/,
      help: "What `berth sandbox-host` is called in its servers' sandboxHosts. Not set: the host and port where it listens.",
    }),
  ),
  sandboxHostTrust: list({
    default: [],
    each: /^[^,\0]{1,4096}$/,
    what: "paths, each with @deployment or without",
    help: "The public keys of the servers that `berth sandbox-host` serves, as files with PEM or JWK. Where there are several each is followed by the deployment that it is for, as `server.pub.pem@dep_…`.",
  }),
} as const;
