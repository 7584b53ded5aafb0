import { open } from "node:fs/promises";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ApiReply, codeOf, type Door, send } from "../../support/server/api.ts";
import { startServer } from "../../support/server/server-process.ts";
import { checkNoProcess, checkSoundness } from "../checks/leftover-rules.ts";
import type { Checklist } from "../checklist.ts";
import type { Rig } from "../kill-loop/rig.ts";
import { OnceFile } from "../kill-loop/script.ts";
import { repository } from "../repository.ts";
import { sleep } from "../sleep.ts";
import type { Ext4Disk } from "./ext4-disk.ts";
import { allDone, checkLog, speak, type Talked, talkTo } from "./talk.ts";

const rules = {
  real: "the disk really was slow: an fdatasync by hand took 100 ms or more",
  alive: "slow fsync: /healthz answers in less time than one fsync takes",
  clear: "slow fsync: every request is done, or refused with an error that says to try again",
  held: "slow fsync: no lease is lost while commits take less than a sixth of it",
  lost: "slow fsync: leases really were lost where commits took longer than that",
  done: "slow fsync: what was accepted is done, at the latest when the disk is fast again",
  once: "slow fsync: every command ran once, where a lease was lost at most once",
  log: "slow fsync: the log has no gap, no input and no run twice, and the follower saw all of it once",
  gone: "a disk that is fast again is used at its speed",
} as const;

/** An fdatasync waits for several writes: at 40 a second it takes 100 to 250 ms, and a commit of the server up to twice as long. */
const slowWrites = 40;
const slowMs = 100;
const sessions = 3;

export interface SlowScene {
  readonly rig: Rig;
  readonly disk: Ext4Disk;
  readonly checklist: Checklist;
  readonly say: (line: string) => void;
  /** Whether the lease is longer than the disk is slow; else the work is done only when the disk is fast again. */
  readonly keepsLease: boolean;
}

/** What `BERTH_LEASE` is for each. */
export const leases = { kept: "6s", lost: "1s" } as const;

/** How long a disk that is too slow for the lease is left so. */
const tooSlowMs = 4_000;

/** Makes the disk slow under a server at work, and fast again. Null, or why that is not possible here. */
export async function slowFsync(scene: SlowScene): Promise<string | null> {
  const { rig, disk, checklist, keepsLease } = scene;
  const server = await startServer({ ...rig, root: repository }).ready;
  const door: Door = { url: server.url, apiKey: rig.apiKey };
  const all: Talked[] = [];
  let words = 0;
  const once = new OnceFile(join(rig.folder, "once"), () => `word${++words}`);
  writeFileSync(once.path, "");
  try {
    for (let count = 0; count < sessions; count++) all.push(await talkTo(() => door, checklist));
    const hindered = disk.limitWrites(slowWrites);
    if (hindered !== null) return hindered;
    await work(scene, { door, all, once });
    disk.limitWrites(null);
    const started = performance.now();
    for (const talked of all) await speak(door, talked, { script: callOf(once) });
    for (const talked of all) await isDone(checklist, door, talked);
    const ms = Math.round(performance.now() - started);
    // Others may hold the disk up once; what was slow was slow each time.
    const fsyncs: number[] = [];
    for (let time = 0; time < 5; time++) fsyncs.push(await fsyncTime(rig.dataDir));
    checklist.check(
      rules.gone,
      Math.min(...fsyncs) < slowMs,
      () => `fdatasyncs take ${fsyncs.join(", ")} ms, the runs took ${ms}`,
    );
    for (const talked of all) await checkLog({ checklist, rule: rules.log }, door, talked);
  } finally {
    disk.limitWrites(null);
    for (const { follower } of all) await follower.stop();
    await server.end("SIGTERM");
  }
  const { length } = all;
  checkOnce(checklist, once, { words, whichMayMiss: keepsLease ? 0 : length });
  const lines = readFileSync(rig.logFile, "utf8").split("\n");
  const lost = lines.filter((line) => /another holder|lost its lease/.test(line));
  if (keepsLease) checklist.check(rules.held, lost.length === 0, () => lost.slice(0, 4).join("\n"));
  else checklist.check(rules.lost, lost.length > 0, () => "the log tells of none");
  checkNoProcess(checklist, rig.dataDir);
  checkSoundness(checklist, rig.dataDir);
  return null;
}

const callOf = (once: OnceFile) => [
  [{ text: "a b c d", chunk: 1, delayMs: 20 }, once.call()],
  [{ text: "done" }],
];

/** Every session is told something while the disk is slow, and somebody looks how the server does. */
async function work(
  { rig, checklist, say, keepsLease }: SlowScene,
  { door, all, once }: { door: Door; all: readonly Talked[]; once: OnceFile },
): Promise<void> {
  const working = new AbortController();
  const watching = watchHealth(door, working.signal);
  const answered: number[] = [];
  const asking = all.map(async (talked) => {
    const started = performance.now();
    const reply = await speak(door, talked, { script: callOf(once) });
    answered.push(Math.round(performance.now() - started));
    answersClearly(checklist, reply);
    const path = `/sessions/${talked.id}`;
    answersClearly(checklist, await send(door, { method: "PATCH", path, body: { title: "slow" } }));
    if (keepsLease) await isDone(checklist, door, talked);
    else await sleep(tooSlowMs);
  });
  const fsyncs = [await fsyncTime(rig.dataDir), await fsyncTime(rig.dataDir), await fsyncTime(rig.dataDir)];
  await Promise.all(asking);
  working.abort();
  const fsyncMs = middleOf(fsyncs);
  const healthMs = middleOf(await watching);
  checklist.check(rules.real, fsyncMs >= slowMs, () => `${fsyncs.join(", ")} ms`);
  checklist.check(rules.alive, healthMs < fsyncMs / 2, () => `${healthMs} ms, and an fsync ${fsyncMs} ms`);
  const lease = keepsLease ? leases.kept : leases.lost;
  say(
    `fsync takes ${fsyncMs} ms (lease ${lease}): a message is accepted in ${middleOf(answered)} ms, /healthz answers in ${healthMs} ms`,
  );
}

function answersClearly(checklist: Checklist, reply: ApiReply): void {
  const retryable = (reply.json as { retryable?: boolean } | null)?.retryable === true;
  const clear = reply.status < 300 || (codeOf(reply) !== "" && retryable);
  checklist.check(rules.clear, clear, () => `${reply.status} ${JSON.stringify(reply.json)}`);
}

async function isDone(checklist: Checklist, door: Door, talked: Talked): Promise<void> {
  const done = await allDone(door, talked);
  checklist.check(rules.done, done, () => "after 60 s some inputs or runs are still open", talked.id);
}

/** The first ones were under way when leases were lost: a call of which nobody knows whether it ran is not begun again. */
function checkOnce(
  checklist: Checklist,
  { path }: OnceFile,
  { words, whichMayMiss }: { readonly words: number; readonly whichMayMiss: number },
): void {
  const written = readFileSync(path, "utf8").trimEnd().split("\n");
  for (let word = 1; word <= words; word++) {
    const times = written.filter((line) => line === `word${word}`).length;
    checklist.check(
      rules.once,
      times === 1 || (times === 0 && word <= whichMayMiss),
      () => `word${word} was written ${times} times`,
    );
  }
}

/** Milliseconds that each look took, one every 50 ms. */
async function watchHealth({ url }: Door, signal: AbortSignal): Promise<readonly number[]> {
  const took: number[] = [];
  while (!signal.aborted) {
    const started = performance.now();
    await (await fetch(`${url}/healthz`)).arrayBuffer();
    took.push(Math.round(performance.now() - started));
    await sleep(50);
  }
  return took;
}

/** How long an fdatasync of 4 KiB more takes there. Milliseconds. */
async function fsyncTime(folder: string): Promise<number> {
  const file = await open(join(folder, "by-hand"), "a");
  try {
    await file.write(Buffer.alloc(4_096));
    const started = performance.now();
    await file.datasync();
    return Math.round(performance.now() - started);
  } finally {
    await file.close();
  }
}

function middleOf(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
