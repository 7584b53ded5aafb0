import type { Agent, IncomingMessage } from "node:http";
import { type Api, apiOf } from "../api.ts";
import type { BerthServer } from "../berth-server.ts";
import { type Contender, type Place, shapes, type TurnTimes } from "./contender.ts";
import { question } from "./direct.ts";

/** Sessions of a Berth, each with its event stream open; a turn is a POST until its run.finished is on the stream. */
export async function berth(
  server: BerthServer,
  { agent, name }: { agent: Agent; name: "berth" | "other" },
): Promise<Contender> {
  const api = apiOf(server, agent);
  for (const shape of shapes) {
    const tools = shape === "tool" ? ["todo_read"] : [];
    const definition = { name: shape, model: `double/${shape}`, tools, permissions: { mode: "auto" } };
    await api.post("/api/v1/agents", JSON.stringify(definition));
  }
  return {
    name,
    pid: server.pid,
    open: (shape, places) => Promise.all(Array.from({ length: places }, () => openSession(api, shape))),
    stop: () => server.stop(),
  };
}

/** A new session of an agent with its event stream open. */
export async function openSession(api: Api, agent: string): Promise<Place & { readonly id: string }> {
  const made = await api.post("/api/v1/sessions", JSON.stringify({ agent }));
  const { id } = JSON.parse(made) as { id: string };
  const path = `/api/v1/sessions/${id}/events`;
  return { id, ...placeOf(api, path, await api.stream(`${path}/stream`)) };
}

/** A session that exists, with its event stream open from its end on. */
export async function followSession(api: Api, id: string): Promise<Place> {
  const at = await api.get<{ generation: number; lastSeq: number }>(`/api/v1/sessions/${id}`);
  const path = `/api/v1/sessions/${id}/events`;
  return placeOf(api, path, await api.stream(`${path}/stream?after=${at.generation}.${at.lastSeq}`));
}

const message = JSON.stringify({ events: [{ type: "user.message", content: question }] });

/** Looks for what it waits for without parsing: the client must not be what is measured. */
function placeOf(api: Api, path: string, stream: IncomingMessage): Place {
  let sentAt = 0;
  let firstMs = 0;
  let finished: (times: TurnTimes) => void = () => {};
  let rest = "";
  stream.setEncoding("latin1");
  stream.on("data", (chunk: string) => {
    const text = rest + chunk;
    if (firstMs === 0 && text.includes("\nevent: agent.message.delta\n"))
      firstMs = performance.now() - sentAt;
    const at = text.indexOf("\nevent: run.finished\n");
    const end = at === -1 ? -1 : text.indexOf("\n\n", at + 1);
    if (end === -1) {
      rest = text.slice(at === -1 ? Math.max(0, text.length - 32) : at);
      return;
    }
    rest = text.slice(end);
    const event = text.slice(at, end);
    if (!event.includes('"reason":"end_turn"')) throw new Error(`a run failed: ${event}`);
    finished({ firstMs, totalMs: performance.now() - sentAt });
  });
  return {
    async turn() {
      sentAt = performance.now();
      firstMs = 0;
      const over = new Promise<TurnTimes>((resolve) => {
        finished = resolve;
      });
      await api.post(path, message);
      return over;
    },
    async close() {
      stream.destroy();
    },
  };
}
