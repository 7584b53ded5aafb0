import type { Session, SessionEvent } from "@berth/contract";
import { effectiveEvents, fold } from "../../../../src/session/fold.ts";
import { isStepBoundary } from "../../../../src/session/next-step.ts";
import { codeOf } from "../../../support/server/api.ts";
import { quickText } from "../script.ts";
import { Talk } from "../talk.ts";
import type { Activity } from "./activity.ts";
import { scripted } from "./activity.ts";

const travelRules = {
  rewind: "a rewind to a step boundary is not refused",
  workspace: "a fork begins with the files that its parent's run had left, and with those that came after it",
  forked: "a fork ends where it was asked to end",
} as const;

/** A seq at which the conversation can be cut, as the core sees it. */
function safePoint({ log, random, id }: Talk): number | null {
  const visible = effectiveEvents(log);
  const own = visible.filter((event) => event.sessionId === id);
  const seqs = own
    .filter(({ type }) => type === "run.finished" || type === "agent.tool_result")
    .map(({ seq }) => seq);
  if (seqs.length === 0) return null;
  const seq = random.pick(seqs.slice(-6));
  const state = fold(visible.filter((event) => event.seq <= seq));
  return isStepBoundary(state) && state.sessionId === id ? seq : null;
}

const rewind: Activity = {
  name: "rewinds",
  weight: 4,
  reaches: ["runtime.before-restore", "runtime.after-restore"],
  async run(talk) {
    const { random, world, id } = talk;
    const path = `rewound/${random.int(1, 3)}.txt`;
    const write = { tool: "fs_write", input: { path, content: world.ledger.word("before") } };
    await talk.turn([[write], [quickText(random)]]);
    const toSeq = safePoint(talk);
    const running = random.chance(0.4)
      ? await talk.say([[world.once.call("sleep 0.2")], [quickText(random)]])
      : null;
    const wanted = toSeq ?? random.int(1, 5);
    const row = await talk.read();
    const { reply } = await world.caller.call({
      method: "POST",
      path: `/sessions/${id}/rewind`,
      body: { toSeq: wanted },
    });
    // Whoever has seen the whole log, with nothing under way, knows the safe points.
    const sure = toSeq !== null && running === null && row?.lastSeq === talk.log.at(-1)?.seq;
    const refused = reply.status === 409 && codeOf(reply) === "not_a_safe_point";
    const story = () => `to ${wanted} of ${row?.lastSeq}: ${reply.status} ${JSON.stringify(reply.json)}`;
    if (sure) world.checklist.check(travelRules.rewind, !refused, story, id);
    if (running !== null) await talk.ended(running);
  },
};

/** The content of a file in a session's workspace; null when there is none. */
async function fileOf({ world, id }: Talk, path: string): Promise<string | null> {
  const { reply } = await world.caller.call({ method: "GET", path: `/sessions/${id}/files/${path}` });
  return reply.status === 200 ? Buffer.from(reply.bytes).toString("utf8") : null;
}

async function forkAt(talk: Talk, seq: number | null): Promise<Talk | null> {
  const { world, kind, id } = talk;
  const body = seq === null ? {} : { seq };
  const { reply } = await world.caller.call({ method: "POST", path: `/sessions/${id}/fork`, body });
  if (reply.status !== 201) return null;
  const fork = reply.json as Session;
  const from = fork.forkedFrom;
  world.checklist.check(
    travelRules.forked,
    from !== null && from.sessionId === id && (seq === null || from.seq === seq),
    () => `asked for ${id} at ${seq}, got ${JSON.stringify(from)}`,
    fork.id,
  );
  return new Talk(world, { id: fork.id, kind, fork: { of: id, seq: from?.seq ?? 0 } });
}

/** Anywhere, also in the middle of a run: the fork ends that run for itself and leaves it to its parent. */
const fork: Activity = {
  name: "forks",
  weight: 3,
  reaches: ["http.created.before-reply", "store.create-session.after-commit"],
  async run(talk) {
    const { random, world, log } = talk;
    const running = await talk.say([[world.once.call("sleep 0.1"), quickText(random)], [quickText(random)]]);
    await talk.waitFor((events) => (events.length > 3 ? true : undefined), 5_000);
    const seq = random.chance(0.3) ? null : random.int(1, Math.max(1, log.at(-1)?.seq ?? 1));
    const forked = await forkAt(talk, seq);
    if (forked !== null) {
      await forked.turn([[quickText(random), world.once.call()], [quickText(random)]]);
      await forked.unfollow();
    }
    await talk.ended(running);
  },
};

function endedWell(end: SessionEvent | null): end is SessionEvent<"run.finished"> {
  return end?.type === "run.finished" && end.data.reason === "end_turn";
}

/** Puts a file into the workspace. The seq of its event; null when nobody knows whether it came to be. */
async function upload(talk: Talk, file: { path: string; content: string }): Promise<number | null> {
  const { world, id } = talk;
  const before = talk.log.at(-1)?.seq ?? 0;
  const path = `/sessions/${id}/files/${file.path}`;
  const { reply } = await world.caller.call({ method: "PUT", path, bytes: Buffer.from(file.content) });
  if (reply.status !== 200) return null;
  // An earlier upload to the same path is in the log too.
  const isIts = (event: SessionEvent) =>
    event.seq > before && event.type === "file.changed" && event.data.path === file.path;
  return await talk.waitFor((log) => log.find(isIts)?.seq, 5_000);
}

/** A fork at a run's end, or after an upload that came later: its files are those of that place. */
const forkWithFiles: Activity = {
  name: "forks with files",
  weight: 3,
  kinds: ["auto"],
  reaches: ["runtime.before-manifest", "http.created.before-reply"],
  async run(talk) {
    const { random, world } = talk;
    const files = Array.from({ length: 5 }, (_, index) => ({
      path: `kept/${index}.txt`,
      content: world.ledger.word("kept"),
    }));
    const end = await talk.turn([files.map((input) => ({ tool: "fs_write", input })), [quickText(random)]]);
    if (!endedWell(end) || end.data.manifest === undefined) return;
    const late = { path: "kept/late.txt", content: world.ledger.word("late") };
    const uploaded = random.chance(0.5) ? await upload(talk, late) : null;
    if (uploaded !== null) files.push(late);
    const forked = await forkAt(talk, uploaded ?? end.seq);
    if (forked === null) return;
    const asked = await forked.turn([[{ tool: "fs_glob", input: { pattern: "**/*" } }], [quickText(random)]]);
    // A run that did not get so far has not made the workspace yet.
    if (endedWell(asked)) {
      for (const { path, content } of files) {
        const found = await fileOf(forked, path);
        const story = () => `${path} should hold ${content} and holds ${found}`;
        world.checklist.check(travelRules.workspace, found === content, story, forked.id);
      }
    }
    await forked.unfollow();
  },
};

export const travelActivities: readonly Activity[] = [
  { kinds: scripted, ...rewind },
  { kinds: scripted, ...fork },
  forkWithFiles,
];
