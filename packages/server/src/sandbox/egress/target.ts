import { isIP } from "node:net";
import { normalAddress } from "../../lib/addresses.ts";
import { plainHost } from "../../lib/checked-addresses.ts";
import { mostHostShown } from "../egress-decision.ts";

/** What a sandbox wants to reach, as it was understood. */
export interface Target {
  /** `tunnel`: CONNECT; `plain`: a request that the proxy itself sends on. */
  readonly kind: "tunnel" | "plain";
  readonly host: string;
  readonly port: number;
  /** Path and query of a plain request, as they were sent. */
  readonly path: string;
}

export interface NoTarget {
  readonly reason: "bad_target" | "userinfo";
  /** What may be shown of it. */
  readonly host: string;
}

const mostUrl = 8_192;

/** `host:port` of CONNECT. */
export function tunnelTarget(text: string): Target | NoTarget {
  const place = placeOf(text, null);
  return "reason" in place ? place : { kind: "tunnel", ...place, path: "" };
}

/** `http://host[:port]/path`, the form in which proxies are asked. */
export function plainTarget(text: string): Target | NoTarget {
  // Backslashes, spaces and fragments are read differently by different parsers; no program sends them.
  if (text.length > mostUrl || !/^http:\/\/[!-~]+$/i.test(text) || /[\\#]/.test(text)) {
    return {
      reason: "bad_target",
      host: shown(text.replace(/^[a-z]{1,10}:\/\//i, "").replace(/[/?#\\].*$/s, "")),
    };
  }
  const rest = text.slice("http://".length);
  const end = rest.search(/[/?]/);
  const authority = end === -1 ? rest : rest.slice(0, end);
  const path = end === -1 ? "/" : rest.slice(end);
  const place = placeOf(authority, 80);
  return "reason" in place
    ? place
    : { kind: "plain", ...place, path: path.startsWith("/") ? path : `/${path}` };
}

/** The path of a plain request that was sent through a tunnel. */
export function innerTarget(path: string, { host, port }: Target): Target | NoTarget {
  if (path.length > mostUrl || !/^\/[!-~]*$/.test(path) || path.includes("#"))
    return { reason: "bad_target", host };
  return { kind: "plain", host, port, path };
}

/** One spelling for each host: what the URL standard makes of it, without brackets and final dot, mapped IPv4 as IPv4. Null: no host. */
export function normalHost(text: string): string | null {
  if (text.length > 255 || !/^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])$/.test(text)) return null;
  const host = plainHost(URL.parse(`http://${text}/`)?.hostname ?? "");
  if (host === "" || host.length > 253) return null;
  return isIP(host) === 0 ? host : normalAddress(host);
}

/** Whether a Host header means the target. */
export function isHeaderOf(header: string, { host, port }: Target): boolean {
  const place = placeOf(header, port);
  return !("reason" in place) && place.host === host && place.port === port;
}

/** How a host stands in a Host header. */
export function hostHeader(host: string, port: number, usual: number): string {
  const written = isIP(host) === 6 ? `[${host}]` : host;
  return port === usual ? written : `${written}:${port}`;
}

function placeOf(authority: string, usualPort: number | null): { host: string; port: number } | NoTarget {
  if (authority.includes("@"))
    return { reason: "userinfo", host: shown(authority.slice(authority.lastIndexOf("@") + 1)) };
  const [, name = "", digits] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(authority) ?? [];
  const host = normalHost(name);
  const port = digits === undefined ? usualPort : Number(digits);
  if (host === null || port === null || port < 1 || port > 65_535)
    return { reason: "bad_target", host: shown(authority) };
  return { host, port };
}

/** For people to read: printable ASCII, and never long. */
function shown(text: string): string {
  return text.slice(0, mostHostShown).replace(/[^!-~]/g, "?");
}
