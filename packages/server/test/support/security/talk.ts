import type { AgentDefinitionInput, Approval, SessionEvent } from "@berth/contract";
import { vi } from "vitest";
import { newId } from "../../../src/lib/id.ts";
import type { Seen } from "./call.ts";
import { firstApproval, maker } from "./things.ts";
import type { World } from "./world.ts";

/** A conversation of the first organization's member. */
export interface Talk {
  readonly sessionId: string;
  readonly log: () => Promise<readonly SessionEvent[]>;
  /** The log as soon as it has such an event. */
  readonly until: (type: SessionEvent["type"]) => Promise<readonly SessionEvent[]>;
  /** The first approval that waits. */
  readonly approval: () => Promise<Approval>;
  readonly send: (event: object, key?: string) => Promise<Seen>;
  readonly decide: (approvalId: string, body: object, key?: string) => Promise<Seen>;
}

/** Makes an agent and says something to it, in a session that the organization sees. */
export async function talk(
  world: World,
  { says, ...definition }: Partial<AgentDefinitionInput> & { readonly says: string },
): Promise<Talk> {
  const { call, a } = world;
  const { admin, member } = a.people;
  const name = `agent-${newId("request").slice(-10)}`;
  const agent = { name, model: "test/model", tools: ["*"], permissions: { mode: "approval" }, ...definition };
  await maker(call, admin.key)("POST", "/agents", agent);
  const first = { agent: name, visibility: "org", input: says };
  const { id: sessionId } = await maker(call, member.key)("POST", "/sessions", first);
  const log = async () => {
    const path = `/api/v1/sessions/${sessionId}/events?limit=200`;
    const { text } = await call(member.key, { method: "GET", path });
    return (JSON.parse(text) as { items: SessionEvent[] }).items;
  };
  const until = (type: SessionEvent["type"]) =>
    vi.waitFor(
      async () => {
        const events = await log();
        if (events.some((event) => event.type === type)) return events;
        throw new Error(`no ${type} in ${events.map((event) => event.type).join(" ")}`);
      },
      { timeout: 15_000, interval: 10 },
    );
  return {
    sessionId,
    log,
    until,
    async approval() {
      const id = await firstApproval(call, member.key, sessionId);
      const { text } = await call(member.key, { method: "GET", path: `/api/v1/approvals/${id}` });
      return JSON.parse(text) as Approval;
    },
    send: (event, key = member.key) =>
      call(key, { method: "POST", path: `/api/v1/sessions/${sessionId}/events`, body: { events: [event] } }),
    decide: (approvalId, body, key = member.key) =>
      call(key, { method: "POST", path: `/api/v1/approvals/${approvalId}`, body }),
  };
}
