import { createRequire } from "node:module";
import type { LookupFunction } from "node:net";
import type { Dispatcher } from "undici";
import type { ResolvedAddress } from "../lib/checked-addresses.ts";
import type { ProviderPlaces } from "./provider-places.ts";

const require = createRequire(import.meta.url);

export interface GuardOptions {
  readonly places: ProviderPlaces;
  readonly connectMs?: number;
}

/**
 * Connections to providers that tenants chose. Each new connection is checked and goes to the addresses that were checked, whatever the
 * name stands for by then. Redirects are not followed. Who makes it closes it.
 */
export function createGuardedDispatcher({ places, connectMs = 10_000 }: GuardOptions): Dispatcher {
  const undici = require("undici") as typeof import("undici");
  return new undici.Agent({
    allowH2: false,
    pipelining: 1,
    keepAliveTimeout: 30_000,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (options, done) => {
      const { hostname: host, protocol } = options;
      const port = Number(options.port) || (protocol === "https:" ? 443 : 80);
      const fail = (thrown: unknown) =>
        done(thrown instanceof Error ? thrown : new Error(String(thrown)), null);
      const go = (addresses: readonly ResolvedAddress[]) => {
        const only = { lookup: lookupOf(addresses) };
        const connect = undici.buildConnector({ timeout: connectMs, allowH2: false, ...only });
        try {
          connect(options, done);
        } catch (thrown) {
          fail(thrown);
        }
      };
      places.check({ host, port, protocol }).then(go, fail);
    },
  });
}

function lookupOf(addresses: readonly ResolvedAddress[]): LookupFunction {
  return (_host, { all }, done) => {
    const [first] = addresses;
    if (all === true) done(null, [...addresses]);
    else done(null, first?.address ?? "", first?.family);
  };
}
