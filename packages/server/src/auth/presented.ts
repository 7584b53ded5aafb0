import type { Peer } from "./peer.ts";

/** What a request brings that could tell who sends it. */
export interface Presented {
  /** A header's value; that of one that came several times has them all, with commas between. Null when there is none. */
  readonly header: (name: string) => string | null;
  readonly peer: Peer;
  /** In upper case. */
  readonly method: string;
  /** Path and query, as they were sent. */
  readonly target: string;
  /** The server as this client reaches it: `https://berth.example`. Null when that is not known. */
  readonly origin: string | null;
}

/** The value of a cookie; null when there is none. Throws nothing: a cookie that came twice counts as `""`, which is nobody's. */
export function cookieOf(presented: Pick<Presented, "header">, name: string): string | null {
  const header = presented.header("cookie");
  if (header === null || !header.includes(name)) return null;
  const values = header
    .split(/[;,]/)
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return values.length > 1 ? "" : (values[0] ?? null);
}

/** True when the client speaks TLS, with this server or with a trusted proxy. */
export function isSecure({ origin }: Pick<Presented, "origin">): boolean {
  return origin?.startsWith("https:") === true;
}
