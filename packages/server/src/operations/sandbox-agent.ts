import { agentWish } from "../allocation/agent-wish.ts";
import type { HeldSandbox } from "../allocation/sandbox-directory.ts";
import type { SandboxWish } from "../allocation/session-sandboxes.ts";
import type { Principal } from "../auth/principal.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { SessionRecord } from "../store/records.ts";
import type { OperationsContext } from "./context.ts";
import { sandboxFor } from "./sandbox-access.ts";

/** What people run in a sandbox begins with. */
interface UsedSandbox {
  readonly sandbox: Sandbox;
  /** The placeholders of the agent's secrets by the names of their variables, as the agent's own tools have them. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * A sandbox to run something in, for who may write its session: reaching what its agent wants now, with the agent's variables. In one
 * that holds several sessions it is the one in whose folder `cwd` is, else the one that used it last. Rejects with
 * `sandbox_not_found`, `forbidden`, and as `agentWish` does.
 */
export async function sandboxToUse(
  context: OperationsContext,
  principal: Principal,
  { sandboxId, cwd }: { readonly sandboxId: string; readonly cwd?: string | undefined },
): Promise<UsedSandbox> {
  const held = await sandboxFor({ context, principal, id: sandboxId, permission: "session:write" });
  const { orgId } = principal;
  const sessionId = sessionAt(held, cwd);
  const session = sessionId === undefined ? null : await context.store.org(orgId).findSession(sessionId);
  const wish = session === null ? undefined : await sessionWish(context, session);
  const sandbox = await context.sandboxDirectory.connect(orgId, sandboxId, wish);
  return { sandbox, environment: wish?.environment ?? {} };
}

/** What a session's agent wants: its newest version, as for a run that begins now. Undefined when there is no such agent any more. */
export async function sessionWish(
  { store, openSecret: open }: OperationsContext,
  { orgId, agent, owner }: Pick<SessionRecord, "orgId" | "agent" | "owner">,
): Promise<SandboxWish | undefined> {
  const definition = (await store.org(orgId).findAgent(agent.id))?.definition;
  return definition === undefined ? undefined : await agentWish(definition.sandbox, { orgId, owner, open });
}

function sessionAt({ sessions }: HeldSandbox, cwd = ""): string | undefined {
  const [first] = cwd.replace(/^\/workspace\/?/, "").split("/");
  return (sessions.find(({ folder }) => folder !== null && folder === first) ?? sessions[0])?.sessionId;
}
