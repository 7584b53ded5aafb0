import { isLoopback } from "./addresses.ts";

/** Where a host is, and how the server names it. */
export interface HostAddress {
  /** Stable: it is kept with each sandbox. */
  readonly name: string;
  readonly url: URL;
}

const named = /^(?:([A-Za-z0-9][A-Za-z0-9._:-]{0,127})=)?(https?:\/\/\S+)$/i;

/**
 * Reads `https://host:port` or `name=https://host:port`; without a name it is named as its address is. Plain HTTP is taken only to this
 * machine itself: tokens and files would cross a network as they are. Throws an Error whose message goes on after what was read.
 */
export function readHostAddress(text: string): HostAddress {
  const [, name, address = ""] = named.exec(text) ?? [];
  const url = URL.parse(address);
  if (url === null) throw new Error("is no address such as https://sandbox-1.example:7430");
  if (url.username !== "" || url.password !== "") throw new Error("must not hold a user name or password");
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") {
    throw new Error("must be a host and a port, with nothing after it");
  }
  const bare = url.hostname.replace(/^\[|\]$/g, "");
  if (url.protocol === "http:" && bare !== "localhost" && !isLoopback(bare)) {
    throw new Error("must be https: plain http is taken only to this machine itself");
  }
  return { name: name ?? url.host, url };
}
