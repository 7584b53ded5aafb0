import type { SessionEvent } from "@berth/contract";
import { type ApiReply, bodyOf, type Door, send } from "../../support/server/api.ts";
import type { Checklist } from "../checklist.ts";
import { Follower } from "../followers/follower.ts";
import { followSse } from "../followers/sse.ts";
import { hashJson } from "../../../src/lib/canonical-json.ts";
import { until } from "../sleep.ts";

/** A session on a disk that goes wrong, and what it was told. */
export interface Talked {
  readonly id: string;
  /** Ids of the inputs that the server took. */
  readonly accepted: string[];
  readonly follower: Follower;
}

/** Begins a session that somebody follows from its first event on, whichever server runs. */
export async function talkTo(door: () => Door, checklist: Checklist): Promise<Talked> {
  const definition = {
    name: "writer",
    model: "scripted/script",
    tools: ["*"],
    permissions: { mode: "auto" },
  };
  const agent = await send(door(), { method: "POST", path: "/agents", body: definition });
  if (agent.status !== 409) bodyOf(agent, 201);
  const made = await send(door(), { method: "POST", path: "/sessions", body: { agent: "writer" } });
  const { id } = bodyOf<{ id: string }>(made, 201);
  const follower = new Follower({
    sessionId: id,
    after: null,
    transport: "sse",
    open: followSse,
    door: () => Promise.resolve(door()),
    checklist,
  });
  return { id, accepted: [], follower };
}

/** Sends a message; what the server takes is noted. */
export async function speak(
  door: Door,
  { id, accepted }: Pick<Talked, "id" | "accepted">,
  { script = [[{ text: "well" }]], filling = "" }: { script?: unknown; filling?: string } = {},
): Promise<ApiReply> {
  const content = `${filling}${JSON.stringify({ script })}`;
  const body = { events: [{ type: "user.message", content }] };
  const reply = await send(door, { method: "POST", path: `/sessions/${id}/events`, body });
  const inputs = reply.status === 202 ? (reply.json as { inputs: readonly { id: string }[] }).inputs : [];
  accepted.push(...inputs.map((input) => input.id));
  return reply;
}

export function upload(door: Door, id: string, size: number): Promise<ApiReply> {
  const bytes = Buffer.alloc(size, Math.floor(performance.now()) % 256);
  return send(door, { method: "PUT", path: `/sessions/${id}/files/big.bin`, bytes });
}

/** Read page by page: a whole copy is told of in the audit log, which is one more write. */
async function logOf(door: Door, id: string): Promise<readonly SessionEvent[]> {
  const log: SessionEvent[] = [];
  for (;;) {
    const path = `/sessions/${id}/events?limit=100&after=${log.at(-1)?.seq ?? 0}`;
    const { items } = bodyOf<{ items: readonly SessionEvent[] }>(await send(door, { method: "GET", path }));
    log.push(...items);
    if (items.length < 100) return log;
  }
}

/** Whether all that was accepted is in the log in time, and every run at its end. */
export function allDone(door: Door, { id, accepted }: Talked, ms = 60_000): Promise<boolean> {
  const isDone = async () => {
    const log = await logOf(door, id);
    const taken = accepted.every((inputId) => log.some((event) => event.inputId === inputId));
    const begun = log.filter(({ type }) => type === "run.started").length;
    return taken && begun === log.filter(({ type }) => type === "run.finished").length;
  };
  return until(isDone, ms, 200);
}

/** No gap, each accepted input once, each run begun and ended once, and all of it at the follower's. */
export async function checkLog(
  { checklist, rule }: { readonly checklist: Checklist; readonly rule: string },
  door: Door,
  { id, accepted, follower }: Talked,
): Promise<void> {
  const log = await logOf(door, id);
  const gap = log.findIndex(({ seq }, index) => seq !== index + 1);
  checklist.check(rule, gap === -1, () => `at line ${gap + 1}`, id);
  for (const inputId of accepted) {
    const events = log.filter((event) => event.inputId === inputId).length;
    checklist.check(rule, events === 1, () => `${inputId} has ${events} events`, id);
  }
  const runs = (type: string) => log.filter((event) => event.type === type).map(({ runId }) => runId);
  for (const type of ["run.started", "run.finished"]) {
    const told = runs(type);
    checklist.check(rule, new Set(told).size === told.length, () => `a run has ${type} twice`, id);
  }
  const seen = await until(() => follower.seq >= log.length, 10_000);
  checklist.check(rule, seen, () => `the follower is at ${follower.seq} of ${log.length}`, id);
  const same = follower.seen.join() === log.map((event) => hashJson(event)).join();
  checklist.check(rule, same, () => `the follower saw other events than the log has`, id);
}
