import type { Preview } from "@berth/contract";
import { sessionAgent } from "../auth/session-agent.ts";
import { BerthError } from "../lib/errors.ts";
import type { OperationsContext } from "./context.ts";
import { openPort } from "./sandbox-ports.ts";

interface AgentPort {
  readonly orgId: string;
  readonly sessionId: string;
  /** Of the session. */
  readonly owner: string;
  readonly sandboxId: string;
  readonly port: number;
  readonly ttlMs: number;
}

/**
 * The address of a port for an agent, opened in the name of the session's owner: it ends with what that one may. Rejects as `openPort`
 * does, and with `forbidden` when the owner may nothing any more.
 */
export async function openAgentPort(
  context: OperationsContext,
  { orgId, sessionId, owner, ...port }: AgentPort,
  ownOrigin: string,
): Promise<Preview> {
  const principal = await sessionAgent(context.store, { orgId, sessionId, owner });
  if (principal === null) {
    throw new BerthError("forbidden", "The session's owner may not use this organization any more.");
  }
  const origin = { idempotency: null, traceparent: null, requestId: null, address: null };
  return await openPort(context, principal, { ...port, ownOrigin, origin });
}
