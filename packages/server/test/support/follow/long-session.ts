import { newId } from "../../../src/lib/id.ts";
import { noUsage } from "../../../src/session/state.ts";
import type { Api } from "../http/api.ts";

/** A session whose log has so many events of so many bytes each. */
export async function longSession(
  api: Api,
  { events, bytes }: { readonly events: number; readonly bytes: number },
): Promise<string> {
  const { orgId } = api.harness;
  const id = newId("session");
  const agent = { id: newId("agent"), version: 1, name: "none" };
  const text = "x".repeat(bytes);
  await api.operations.store.org(orgId).createSession({
    row: {
      orgId,
      id,
      agent,
      owner: api.principal.id,
      key: null,
      title: null,
      metadata: {},
      model: null,
      status: "idle",
      currentRunId: null,
      forkedFrom: null,
      usage: noUsage,
    },
    events: Array.from({ length: events }, (_, i) => {
      const event = {
        seq: i + 1,
        type: "system.message",
        sessionId: id,
        namespace: "",
        data: { content: text },
      };
      return { seq: i + 1, type: event.type, json: JSON.stringify(event) };
    }),
  });
  return id;
}
