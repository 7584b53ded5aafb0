/** What the server and a sandbox host agree on, apart from the calls themselves. Both send it; another one is refused. */
export const protocolVersion = "1";
export const versionHeader = "berth-sandbox-protocol";

const kibibyte = 1_024;
const mebibyte = 1_024 * kibibyte;

/** Sizes in bytes that no side goes over. */
export const wireLimits = {
  /** The JSON line that each call begins with. */
  head: mebibyte,
  /** Raw bytes after it: a file, a command's standard input. */
  tail: 32 * mebibyte,
  /** A JSON answer. */
  answer: 32 * mebibyte,
  /** A file that is read, as far as no length was asked for. */
  file: 32 * mebibyte,
  /** One frame of a stream. */
  frame: mebibyte,
  /** What is kept of a command's output for whoever was cut off. */
  replay: mebibyte,
} as const;

/** Times in milliseconds. */
export const wireTimes = {
  /** A stream that has nothing to say says so this often. */
  keepalive: 5_000,
  /** Whoever reads a stream takes it for cut after so long a silence. */
  silence: 20_000,
  /** A command that nobody follows any more is ended after so long. */
  orphan: 60_000,
  /** How a command ended is told for so long after that. */
  afterEnd: 15_000,
} as const;

/** What a call is about, as it stands in the path. */
export type CallPlace = "host" | "sandbox" | "workspace";

/** What a connection is upgraded to when it becomes one to a port of a sandbox, and the header that says which port. */
export const tunnelProtocol = "berth-port";
export const portHeader = "berth-port";
