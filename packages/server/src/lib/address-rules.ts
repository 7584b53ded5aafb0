import { BlockList, isIP } from "node:net";
import { BerthError } from "./errors.ts";

/** Ranges that are not the public internet: RFC 6890 and what came after it, and cloud metadata services. */
const closed4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "168.63.129.16/32",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
];
/** Within 2000::/3; everything outside it is closed too. Teredo, documentation and 6to4 wrap or reserve other addresses. */
const closed6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

export interface Destination {
  readonly host: string;
  readonly port: number;
  readonly address: string;
}

export interface AddressRules {
  /** It is public, or the operator permits it. */
  permits(destination: Destination): boolean;
  /** The operator names it: what crosses no foreign network may do without encryption. */
  names(destination: Destination): boolean;
}

/** `allow`: `host:port` or ranges that are permitted although they are private. Throws `config_invalid` for other texts. */
export function createAddressRules(allow: readonly string[]): AddressRules {
  // Apart, because a list that holds ::ffff:0:0/96 takes every IPv4 address for blocked.
  const blocked4 = listOf(closed4);
  const blocked6 = listOf(closed6);
  const public6 = listOf(["2000::/3"]);
  const hosts = new Set(allow.filter((entry) => !entry.includes("/")).map(checkedHost));
  const ranges = allow.filter((entry) => entry.includes("/"));
  const allowed4 = listOf(ranges.filter((range) => isIP(range.split("/")[0] ?? "") === 4));
  const allowed6 = listOf(ranges.filter((range) => isIP(range.split("/")[0] ?? "") !== 4));

  function names({ host, port, address }: Destination): boolean {
    if (hosts.has(`${host.toLowerCase()}:${port}`)) return true;
    if (isIP(address) === 4) return allowed4.check(address, "ipv4");
    return isIP(address) === 6 && !address.includes("%") && allowed6.check(address, "ipv6");
  }

  return {
    names,
    permits(destination) {
      const { address } = destination;
      if (names(destination)) return true;
      if (isIP(address) === 4) return !blocked4.check(address, "ipv4");
      // A zone (`fe80::1%eth0`) only makes sense for addresses that are closed.
      if (isIP(address) !== 6 || address.includes("%")) return false;
      return public6.check(address, "ipv6") && !blocked6.check(address, "ipv6");
    },
  };
}

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", prefix = ""] = range.split("/");
    const family = isIP(address);
    const bits = Number(prefix);
    if (
      family === 0 ||
      prefix === "" ||
      !Number.isInteger(bits) ||
      bits < 0 ||
      bits > (family === 4 ? 32 : 128)
    ) {
      throw invalid(range);
    }
    list.addSubnet(address, bits, family === 4 ? "ipv4" : "ipv6");
  }
  return list;
}

function checkedHost(entry: string): string {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:/[\]]+)):(\d{1,5})$/.exec(entry);
  if (match === null) throw invalid(entry);
  return `${(match[1] ?? match[2] ?? "").toLowerCase()}:${Number(match[3])}`;
}

function invalid(entry: string): BerthError {
  return new BerthError("config_invalid", `"${entry}" is neither host:port nor a range such as 10.1.0.0/16.`);
}
