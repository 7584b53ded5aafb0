import type { Page, Run, Session, SessionEvent, Approval, Todo } from "@berth/contract";
import { bodyOf } from "../../support/server/api.ts";
import { sleep } from "../sleep.ts";
import type { World } from "./world.ts";
import type { SessionEntry } from "./ledger.ts";

const settleRules = {
  idle: "every session can be brought to rest",
  next: "every session takes a next message at the end",
} as const;

const patienceMs = 60_000;

/** Everything that the server says about one session once nothing goes on any more. */
export interface Exported {
  readonly entry: SessionEntry;
  readonly text: string;
  readonly log: readonly SessionEvent[];
  readonly row: Session;
  readonly todos: readonly Todo[];
  readonly approvals: readonly Approval[];
  readonly runs: readonly Run[];
}

/** Brings a session to rest, says a last thing to it, and reads all there is about it. Null when that failed. */
export async function settle(world: World, entry: SessionEntry): Promise<Exported | null> {
  if (!(await rest(world, entry.id))) return null;
  await lastMessage(world, entry.id);
  return exportOf(world, entry);
}

async function rest(world: World, id: string): Promise<boolean> {
  const { caller, checklist } = world;
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const { reply } = await caller.call({ method: "GET", path: `/sessions/${id}` });
    const session = bodyOf<Session>(reply);
    if (session.status === "idle") return true;
    if (performance.now() > deadline) {
      checklist.violated(settleRules.idle, `it is ${session.status} at ${session.lastSeq}`, id);
      return false;
    }
    if (session.status === "archived")
      await caller.call({ method: "PATCH", path: `/sessions/${id}`, body: { archived: false } });
    else if (session.status === "quarantined")
      await caller.call({ method: "POST", path: `/sessions/${id}/release`, body: {} });
    else await caller.call({ method: "POST", path: `/sessions/${id}/cancel`, body: {} });
    await sleep(100);
  }
}

async function lastMessage({ caller, ledger, checklist }: World, id: string): Promise<void> {
  const marker = ledger.word("mark");
  const content = `${marker} {"script":[[{"text":"${marker}"}]]}`;
  const body = { events: [{ type: "user.message", content }] };
  const called = await caller.call({ method: "POST", path: `/sessions/${id}/events`, body });
  const accepted = called.reply.status === 202;
  const story = () => `${called.reply.status} ${JSON.stringify(called.reply.json)}`;
  if (!checklist.check(settleRules.next, accepted, story, id)) return;
  const [input] = (called.reply.json as { inputs: { id: string; runId: string }[] }).inputs;
  if (input === undefined) return;
  const about = {
    sessionId: id,
    inputId: input.id,
    runId: input.runId,
    type: "user.message",
    lane: "queue",
  } as const;
  const { key, sentTick, repliedTick } = called;
  ledger.accepted.push({ ...about, index: 0, key, sentTick, repliedTick });
  ledger.markers.push({ marker, sessionId: id, inputId: input.id, accepted: true, code: "" });
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const { reply } = await caller.call({ method: "GET", path: `/runs/${input.runId}` });
    const run = reply.json as Partial<Run> | null;
    const over = run?.status === "completed" || run?.status === "failed" || run?.status === "cancelled";
    if (over || performance.now() > deadline) {
      const told = () =>
        `its run ${input.runId} is ${run?.status} (${run?.reason} ${run?.error?.message ?? ""})`;
      checklist.check(settleRules.next, run?.status === "completed", told, id);
      return;
    }
    await sleep(50);
  }
}

async function exportOf({ caller }: World, entry: SessionEntry): Promise<Exported> {
  const get = async (path: string) => (await caller.call({ method: "GET", path })).reply;
  const { id } = entry;
  const text = Buffer.from((await get(`/sessions/${id}/export`)).bytes).toString("utf8");
  const lines = text.split("\n").filter((line) => line !== "");
  return {
    entry,
    text,
    log: lines.map((line) => JSON.parse(line) as SessionEvent),
    row: bodyOf<Session>(await get(`/sessions/${id}`)),
    todos: bodyOf<{ todos: Todo[] }>(await get(`/sessions/${id}/todos`)).todos,
    approvals: await all<Approval>(get, `/approvals?sessionId=${id}`),
    runs: await all<Run>(get, `/sessions/${id}/runs?`),
  };
}

type Get = (path: string) => Promise<Parameters<typeof bodyOf>[0]>;

async function all<T>(get: Get, path: string): Promise<readonly T[]> {
  const items: T[] = [];
  for (let after = ""; ;) {
    const page = bodyOf<Page<T>>(await get(`${path}&limit=200${after}`));
    items.push(...page.items);
    if (page.next === null) return items;
    after = `&after=${encodeURIComponent(page.next)}`;
  }
}

/** Does something for each of many, a few at a time. */
export async function eachOf<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const one = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}
