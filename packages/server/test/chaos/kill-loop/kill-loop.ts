import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import type { FailpointName } from "../../../src/lib/failpoint.ts";
import { checkBlobs } from "../checks/blob-rules.ts";
import { checkFollowers, checkForks } from "../checks/follower-rules.ts";
import { checkFolds } from "../checks/fold-rules.ts";
import { checkInputs } from "../checks/input-rules.ts";
import { checkDatabase, checkFiles, checkNoProcess, checkProcesses } from "../checks/leftover-rules.ts";
import { checkLog } from "../checks/log-rules.ts";
import { checkOnce } from "../checks/once-rules.ts";
import { errorsIn, isInternal } from "../checks/server-log.ts";
import type { Checklist } from "../checklist.ts";
import type { Random } from "../random.ts";
import { actor, type Done, registrar } from "./actors.ts";
import { createAgents } from "./agents.ts";
import { Caller } from "./caller.ts";
import { Fates } from "./fates.ts";
import { Keeper } from "./keeper.ts";
import { Ledger } from "./ledger.ts";
import type { Rig } from "./rig.ts";
import { OnceFile } from "./script.ts";
import { eachOf, type Exported, settle } from "./settle.ts";
import { Transports } from "./transports.ts";
import type { World } from "./world.ts";

export interface KillLoopOptions {
  readonly rig: Rig;
  /** Where the server's code is. */
  readonly root: string;
  readonly random: Random;
  readonly checklist: Checklist;
  readonly kills: number;
  readonly hitsEach: number;
  readonly sessions: number;
  readonly among?: readonly FailpointName[];
  /** The killing ends after so long, whatever is missing; null: never. */
  readonly seconds: number | null;
  readonly say: (line: string) => void;
}

export interface KillLoopReport {
  readonly fates: Fates;
  readonly done: Done;
  readonly logs: ReadonlyMap<string, Exported>;
  readonly world: World;
  readonly errors: readonly string[];
}

const driverRule = "the driver itself has no fault";
const logRule = "no server logs an internal error";
const killRule = "the server was killed often enough, and at every failpoint";

/** Drives sessions while their server is killed again and again, brings everything to rest, and compares it with the ledger. */
export async function killLoop(options: KillLoopOptions): Promise<KillLoopReport> {
  const { rig, checklist, random, kills, hitsEach, among } = options;
  const ending = new AbortController();
  const keeper = new Keeper({
    ...rig,
    root: options.root,
    checklist,
    onReady: (pid) => checkProcesses(checklist, rig.dataDir, pid),
  });
  const transports = new Transports();
  const { world, pending } = createWorld({ options, keeper, transports, stopping: ending.signal });
  const fates = new Fates({
    random: random.branch("fates"),
    kills,
    hitsEach,
    ...(among !== undefined && { among }),
  });
  const done: Done = new Map();
  await firstLife(keeper, world);
  const actors = Array.from({ length: options.sessions }, (_, index) => actor(world, fates, { index, done }));
  const work = [...actors, registrar(world, fates), transports.disturb(random.branch("cuts"), ending.signal)];
  for (const each of work) world.track(each);
  await killing(options, keeper, fates);
  checkKills(options, fates);
  ending.abort();
  options.say("everybody comes to rest");
  const lastLife = keeper.live({ failpoint: null, killAfterMs: null, from: "ready" });
  await pending();
  const logs = await restAndExport(world);
  await Promise.all(world.talks.map((talk) => talk.unfollow()));
  transports.close();
  await keeper.stop();
  await lastLife;
  await checkAll(options, { world, logs });
  const errors = errorsIn(rig.logFile);
  const internal = errors.filter(isInternal);
  options.checklist.check(logRule, internal.length === 0, () => internal.join("\n"));
  return { fates, done, logs, world, errors };
}

/** Everybody who talks to the server, and what they know; `pending` resolves when nobody is at anything. */
export function createWorld(parts: {
  options: Pick<KillLoopOptions, "checklist" | "random" | "rig">;
  keeper: Keeper;
  transports: Transports;
  stopping: AbortSignal;
}): { world: World; pending: () => Promise<void> } {
  const { options, keeper, transports, stopping } = parts;
  const { checklist, random, rig } = options;
  const ledger = new Ledger();
  const caller = new Caller({
    ledger,
    checklist,
    random: random.branch("caller"),
    door: () => keeper.door(),
    generation: () => keeper.generation,
  });
  const onceFile = join(rig.folder, "once.txt");
  writeFileSync(onceFile, "");
  const working = new Set<Promise<unknown>>();
  const world: World = {
    keeper,
    caller,
    ledger,
    checklist,
    random,
    once: new OnceFile(onceFile, () => ledger.word("tok")),
    stopping,
    talks: [],
    followers: [],
    transport: (own) => transports.take(own),
    track(work) {
      const tracked = work.catch((thrown: unknown) => {
        checklist.violated(
          driverRule,
          thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
        );
      });
      working.add(tracked);
      void tracked.finally(() => working.delete(tracked));
    },
  };
  const pending = async () => {
    while (working.size > 0) await Promise.all(working);
  };
  return { world, pending };
}

/** An orderly life first: agents are made, and Node keeps the compiled modules for all the starts that follow. */
export async function firstLife(keeper: Keeper, world: World): Promise<void> {
  const life = keeper.live({ failpoint: null, killAfterMs: null, from: "ready" });
  await createAgents(world.caller);
  await keeper.stop();
  await life;
}

async function killing(
  { seconds, say, kills }: KillLoopOptions,
  keeper: Keeper,
  fates: Fates,
): Promise<void> {
  const deadline = seconds === null ? Number.POSITIVE_INFINITY : performance.now() + seconds * 1_000;
  let told = 0;
  let alone = 0;
  while (!fates.done && performance.now() < deadline && alone < 5) {
    const ended = await keeper.live(fates.next());
    fates.ended(ended);
    // A server that keeps ending by itself would keep this loop busy for ever.
    alone = ended === "by itself" ? alone + 1 : 0;
    if (fates.deaths >= told + 10) say(`${(told = fates.deaths)} of ${kills} kills`);
  }
}

/** Not asked of a loop that was ended by the clock. */
function checkKills({ checklist, seconds, kills, hitsEach }: KillLoopOptions, fates: Fates): void {
  if (seconds !== null) return;
  checklist.check(killRule, fates.deaths >= kills, () => `${fates.deaths} of ${kills}`);
  for (const [name, hits] of fates.hits)
    checklist.check(killRule, hits >= hitsEach, () => `${name}: ${hits} of ${hitsEach}`);
}

async function restAndExport(world: World): Promise<ReadonlyMap<string, Exported>> {
  const logs = new Map<string, Exported>();
  await eachOf([...world.ledger.sessions.values()], 6, async (entry) => {
    const exported = await settle(world, entry);
    if (exported !== null) logs.set(entry.id, exported);
  });
  return logs;
}

/** Takes turns with the parts that run beside it, whose mocks and clocks live in this process too. */
async function checkAll(
  { checklist, random, rig }: KillLoopOptions,
  { world, logs }: { world: World; logs: ReadonlyMap<string, Exported> },
): Promise<void> {
  checklist.holds(driverRule);
  for (const exported of logs.values()) {
    checkLog(checklist, exported, world.keeper.deaths);
    checkFolds(checklist, exported, random);
    await turn();
  }
  const checks = [
    () => checkInputs(checklist, world.ledger, logs),
    () => checkOnce(checklist, world.once.path, logs),
    () => checkFollowers(checklist, world.followers, logs),
    () => checkForks(checklist, logs),
    () => checkNoProcess(checklist, rig.dataDir),
    () => checkFiles(checklist, rig.dataDir, rig.env["TMPDIR"] ?? ""),
    () => checkBlobs(checklist, rig.dataDir, logs),
    () => checkDatabase(checklist, rig.dataDir, logs),
  ];
  for (const check of checks) {
    check();
    await turn();
  }
  const folder = join(rig.folder, "logs");
  mkdirSync(folder, { recursive: true });
  for (const id of checklist.storied) {
    const exported = logs.get(id);
    if (exported !== undefined) writeFileSync(join(folder, `${id}.jsonl`), exported.text);
  }
}
