import { BlockList, isIP, SocketAddress } from "node:net";

/** Addresses and networks (`10.1.0.0/16`, `2001:db8::1`) as a set. */
export interface AddressSet {
  /** `address` as `normalAddress` gives it. */
  has(address: string): boolean;
  readonly isEmpty: boolean;
}

/** `::ffff:a.b.c.d` is how a socket that speaks both versions shows an IPv4 address. */
const mappedPrefix = "::ffff:";

/**
 * One spelling for each address: IPv4 also when it was mapped into IPv6, IPv6 in lower case and short, without its zone. Null for
 * what is no address.
 */
export function normalAddress(text: string): string | null {
  const family = isIP(text);
  if (family === 4) return text;
  if (family === 0) return null;
  const zone = text.indexOf("%");
  const address = zone === -1 ? text : text.slice(0, zone);
  const short = new SocketAddress({ address, family: "ipv6" }).address;
  if (!short.startsWith(mappedPrefix)) return short;
  const mapped = short.slice(mappedPrefix.length);
  if (isIP(mapped) === 4) return mapped;
  const [high = Number.NaN, low = Number.NaN] = mapped.split(":").map((group) => Number.parseInt(group, 16));
  return Number.isNaN(high + low) ? short : [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** Whose doings are counted together: an IPv4 address, or the /64 that one IPv6 client has to itself. */
export function addressGroup(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const after = tail === "" ? 0 : tail.split(":").length;
    for (let missing = 8 - groups.length - after; missing > 0; missing--) groups.push("0");
    if (tail !== "") groups.push(...tail.split(":"));
  }
  return `${groups.slice(0, 4).join(":")}::/64`;
}

/** Whether it is this machine's own, `127.0.0.1` or `::1`; never a name, such as `127.0.0.1.example.com`. */
export function isLoopback(address: string): boolean {
  return address === "::1" || (isIP(address) === 4 && address.startsWith("127."));
}

/** True for an address or a network of addresses. */
export function isNetwork(text: string): boolean {
  return parse(text) !== null;
}

/** Throws an Error for a text that is neither an address nor a network. */
export function createAddressSet(entries: readonly string[]): AddressSet {
  const four = new BlockList();
  const six = new BlockList();
  for (const entry of entries) {
    const network = parse(entry);
    if (network === null) throw new Error(`${JSON.stringify(entry)} is neither an address nor a network`);
    const { address, bits, family } = network;
    (family === "ipv4" ? four : six).addSubnet(address, bits, family);
  }
  return {
    has: (address) => (address.includes(":") ? six.check(address, "ipv6") : four.check(address, "ipv4")),
    isEmpty: entries.length === 0,
  };
}

interface Network {
  readonly address: string;
  readonly bits: number;
  readonly family: "ipv4" | "ipv6";
}

function parse(text: string): Network | null {
  const [given = "", prefix, more] = text.trim().split("/");
  const address = given.includes("%") ? null : normalAddress(given);
  if (address === null || more !== undefined) return null;
  const family = address.includes(":") ? "ipv6" : "ipv4";
  const most = isIP(given) === 4 ? 32 : 128;
  if (prefix === undefined) return { address, bits: family === "ipv4" ? 32 : 128, family };
  const bits = /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  if (bits < 0 || bits > most) return null;
  // A network of mapped addresses is one of IPv4 addresses.
  if (family === "ipv6" || most === 32) return { address, bits, family };
  return bits < 96 ? null : { address, bits: bits - 96, family };
}
