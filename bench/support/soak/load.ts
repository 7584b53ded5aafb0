import type { SessionEvent } from "@berth/contract";
import type { Checklist } from "../../../packages/server/test/chaos/checklist.ts";
import { Follower } from "../../../packages/server/test/chaos/followers/follower.ts";
import { SharedSocket } from "../../../packages/server/test/chaos/followers/shared-socket.ts";
import { followSocket } from "../../../packages/server/test/chaos/followers/socket.ts";
import { followSse } from "../../../packages/server/test/chaos/followers/sse.ts";
import { prose, type Turn } from "../../../packages/server/test/chaos/kill-loop/script.ts";
import type { Random } from "../../../packages/server/test/chaos/random.ts";
import { sleep } from "../../../packages/server/test/chaos/sleep.ts";
import { bodyOf, type Door, send } from "../../../packages/server/test/support/server/api.ts";
import type { Gate } from "./gate.ts";

export interface Load {
  readonly door: Door;
  readonly gate: Gate;
  readonly checklist: Checklist;
  /** Aborts at the end of the soak. */
  readonly signal: AbortSignal;
  readonly counts: Counts;
  /** Ids of the sessions that were made and not deleted yet. */
  readonly alive: Set<string>;
}

export interface Counts {
  sessions: number;
  turns: number;
  events: number;
  reconnects: number;
}

export const soakRules = {
  turns: "every turn ends well",
  gone: "a session that was deleted is gone",
} as const;

/** A turn takes a second at most; on a machine that is busy with other things, longer. */
const turnMs = 60_000;
const agents = ["talker", "worker", "caller"] as const;

/** The agents of the load: streamed text and tools of a scripted model, and a model over HTTP with a tool. */
export async function makeAgents(door: Door): Promise<void> {
  const permissions = { mode: "auto" };
  const definitions = [
    { name: "talker", model: "scripted/script", tools: [], permissions },
    { name: "worker", model: "scripted/script", tools: ["*"], permissions },
    { name: "caller", model: "double/tool", tools: ["todo_read"], permissions },
  ];
  for (const body of definitions) bodyOf(await send(door, { method: "POST", path: "/agents", body }), 201);
}

/** One worker of the load: lives sessions, one after the other, until the end. */
export async function liveSessions(load: Load, random: Random): Promise<void> {
  const shared = new SharedSocket();
  for (let i = 0; !load.signal.aborted; i++) await live(load, { random: random.branch(String(i)), shared });
  shared.cut();
}

/** A session from its creation to its deletion: turns, a follower that is cut off now and then, pauses in which it may be put out. */
async function live(load: Load, { random, shared }: { random: Random; shared: SharedSocket }): Promise<void> {
  const { door, gate, checklist, signal, counts, alive } = load;
  const agent = random.pick(agents);
  const made = await send(door, { method: "POST", path: "/sessions", body: { agent } });
  const { id } = bodyOf<{ id: string }>(made, 201);
  alive.add(id);
  const ended = new Set<string>();
  const { name: transport, open } = random.pick([
    { name: "sse", open: followSse },
    { name: "websocket", open: followSocket },
    { name: "shared websocket", open: shared.follow },
  ]);
  const follow = (after: string | null) =>
    new Follower({
      sessionId: id,
      after,
      transport,
      open,
      checklist,
      door: () => Promise.resolve(door),
      onEvent(event: SessionEvent) {
        counts.events += 1;
        if (event.type === "run.finished" && event.runId !== undefined) ended.add(event.runId);
      },
    });
  let follower = follow(null);
  for (let left = random.int(5, 20); left > 0 && !signal.aborted; left--) {
    if (gate.shut) {
      const { seq } = follower;
      await follower.stop();
      shared.cut();
      await gate.pass();
      follower = follow(seq === 0 ? null : `1.${seq}`);
    }
    await takeTurn(load, { id, agent, random, follower, ended });
    await sleep(random.int(0, 600), signal);
  }
  counts.reconnects += Math.max(0, follower.connections - 1);
  await follower.stop();
  bodyOf(await send(door, { method: "DELETE", path: `/sessions/${id}` }), 200, 204);
  alive.delete(id);
  const { status } = await send(door, { method: "GET", path: `/sessions/${id}` });
  checklist.check(soakRules.gone, status === 404, () => `it is still answered with ${status}`, id);
  counts.sessions += 1;
}

async function takeTurn(
  { door, checklist, counts }: Load,
  {
    id,
    agent,
    random,
    follower,
    ended,
  }: { id: string; agent: string; random: Random; follower: Follower; ended: Set<string> },
): Promise<void> {
  const body = { events: [{ type: "user.message", content: contentOf(agent, random) }] };
  const sent = await send(door, { method: "POST", path: `/sessions/${id}/events`, body });
  const { inputs } = bodyOf<{ inputs: readonly { runId: string }[] }>(sent, 202);
  const runId = inputs[0]?.runId ?? "";
  const cutAt = random.chance(0.3) ? performance.now() + random.int(0, 150) : Number.POSITIVE_INFINITY;
  const until = performance.now() + turnMs;
  let cut = false;
  while (!ended.has(runId) && performance.now() < until) {
    // In the middle of a text or a tool, often.
    if (!cut && performance.now() >= cutAt) {
      follower.reconnect();
      cut = true;
    }
    await sleep(10);
  }
  ended.delete(runId);
  const { status } = bodyOf<{ status: string }>(await send(door, { method: "GET", path: `/runs/${runId}` }));
  checklist.check(soakRules.turns, status === "completed", () => `a run of ${agent} is ${status}`, id);
  counts.turns += 1;
}

function contentOf(agent: string, random: Random): string {
  if (agent === "caller") return "What is there to do?";
  const text = {
    text: prose(random, random.int(20, 80)),
    chunk: random.int(4, 20),
    delayMs: random.int(1, 6),
  };
  const tool: Turn = [
    { tool: "bash_run", input: { command: `seq 1 ${random.int(5, 50)} > numbers; wc numbers` } },
  ];
  return JSON.stringify({ script: agent === "worker" && random.chance(0.5) ? [tool, [text]] : [[text]] });
}
