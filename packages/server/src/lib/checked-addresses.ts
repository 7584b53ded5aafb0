import { lookup as systemLookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { AddressRules } from "./address-rules.ts";
import { BerthError } from "./errors.ts";

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** All addresses that a name stands for. */
export type Resolve = (host: string) => Promise<readonly ResolvedAddress[]>;

/** Where a connection is to go. */
export interface Place {
  /** As it stands in an address, with or without the brackets of IPv6 and the dot at its end. */
  readonly host: string;
  readonly port: number;
}

/** The system's resolver. */
export const systemResolve: Resolve = async (host) =>
  await systemLookup(host, { all: true, order: "verbatim" });

/** The port of an http(s) address. */
export function portOf({ port, protocol }: URL): number {
  if (port !== "") return Number(port);
  return protocol === "https:" ? 443 : 80;
}

/**
 * Resolves a host once and checks every address that it stands for; whoever connects must use these addresses and no others, because
 * the next answer may differ. Rejects with `address_refused`, with `fetch_failed` when there is no address, and as the resolver does.
 */
export async function checkedAddresses(
  place: Place,
  { rules, resolve }: { readonly rules: AddressRules; readonly resolve: Resolve },
): Promise<readonly ResolvedAddress[]> {
  const host = plainHost(place.host);
  const literal = /(^|\.)localhost$/.test(host) ? "127.0.0.1" : host;
  const family = isIP(literal);
  const addresses = family === 0 ? await resolve(host) : [{ address: literal, family }];
  if (addresses.length === 0) throw new BerthError("fetch_failed", `${host} has no address.`);
  if (addresses.every(({ address }) => rules.permits({ host, port: place.port, address }))) return addresses;
  throw new BerthError(
    "address_refused",
    `${host} is not a public address, and only those can be reached from here, unless the operator permits more.`,
  );
}

/** A host as rules know it: without the brackets of IPv6 and the dot at the end, in lower case. */
export function plainHost(host: string): string {
  return host
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "")
    .toLowerCase();
}
