import { createAddressRules } from "../lib/address-rules.ts";
import {
  checkedAddresses,
  plainHost,
  type Place,
  type Resolve,
  type ResolvedAddress,
  systemResolve,
} from "../lib/checked-addresses.ts";
import { BerthError } from "../lib/errors.ts";

/** Where the model providers of organizations and users may be. */
export interface ProviderPlaces {
  /**
   * The addresses to connect to, each of them checked: public ones over TLS, and those that the operator permits. Rejects with
   * `address_refused`, or as the resolver does.
   */
  check(place: Place & { readonly protocol: string }): Promise<readonly ResolvedAddress[]>;
}

export interface PlacesOptions {
  /** What the operator permits although it is private: `host:port`, or ranges such as `10.1.0.0/16`. */
  readonly allow: readonly string[];
  /** Default: the system's resolver. */
  readonly resolve?: Resolve;
}

export function createProviderPlaces({ allow, resolve = systemResolve }: PlacesOptions): ProviderPlaces {
  const rules = createAddressRules(allow);
  return {
    async check({ host: written, port, protocol }) {
      const host = plainHost(written);
      const addresses = await checkedAddresses({ host, port }, { rules, resolve });
      const named = addresses.every(({ address }) => rules.names({ host, port, address }));
      if (protocol === "https:" || named) return addresses;
      throw new BerthError(
        "address_refused",
        `${host} can be reached with https only, because keys are sent there.`,
      );
    },
  };
}
