import type { Store } from "../store/store.ts";
import { principalOf } from "./principal-of.ts";
import type { Principal } from "./principal.ts";

interface OfSession {
  readonly orgId: string;
  readonly sessionId: string;
  /** Of the session: in whose name its agent acts. */
  readonly owner: string;
}

/** An agent at work, which may what the session's owner may now; null for one who is nowhere or suspended. */
export async function sessionAgent(
  { system }: Pick<Store, "system">,
  { orgId, sessionId, owner: id }: OfSession,
): Promise<Principal | null> {
  const type = id.startsWith("usr_") ? "user" : "service";
  const credential = { kind: "agent", id: sessionId, expiresAt: null } as const;
  return principalOf(await system.identity.findStanding({ orgId, type, id }), { credential });
}
