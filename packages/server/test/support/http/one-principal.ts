import { type Authenticator, createAuthenticator } from "../../../src/auth/authenticator.ts";
import type { TokenMethod } from "../../../src/auth/method.ts";
import type { Principal } from "../../../src/auth/principal.ts";
import { systemClock } from "../../../src/lib/clock.ts";

/** Knows one key, and whose it is. */
export function onePrincipal(key: string, principal: Principal): Authenticator {
  const method: TokenMethod = {
    kind: principal.credential.kind,
    takes: () => true,
    authenticate: async ({ text }) => (text === key ? principal : null),
    recheck: async (known) => known,
  };
  return createAuthenticator({
    methods: { tokens: [method], requests: [], fallback: null },
    clock: systemClock,
  });
}
