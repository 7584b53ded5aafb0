import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Backup } from "@berth/contract";
import { bodyOf, codeOf, send } from "../../support/server/api.ts";
import { checkBlobs } from "../checks/blob-rules.ts";
import { checkForks } from "../checks/follower-rules.ts";
import { checkFolds } from "../checks/fold-rules.ts";
import { checkInputs } from "../checks/input-rules.ts";
import { checkDatabase, checkNoProcess } from "../checks/leftover-rules.ts";
import { checkLog } from "../checks/log-rules.ts";
import { actor, type Done } from "../kill-loop/actors.ts";
import { Caller } from "../kill-loop/caller.ts";
import { Fates } from "../kill-loop/fates.ts";
import { Keeper } from "../kill-loop/keeper.ts";
import { createWorld, firstLife } from "../kill-loop/kill-loop.ts";
import type { AcceptedEntry } from "../kill-loop/ledger.ts";
import { startMockEndpoint } from "../kill-loop/mock-endpoint.ts";
import { mockProviderAt, type Rig, tightSettings } from "../kill-loop/rig.ts";
import { eachOf, type Exported, settle } from "../kill-loop/settle.ts";
import { Transports } from "../kill-loop/transports.ts";
import type { World } from "../kill-loop/world.ts";
import type { PartScene } from "../part.ts";
import { repository } from "../repository.ts";
import { sleep } from "../sleep.ts";
import { ledgerOf } from "./ledger-of.ts";

const rules = {
  backup: "a backup of a busy server is done before the server is killed",
  busy: "the server was busy while the backup was made",
  restore: "a backup is restored into an empty folder",
  promised: "what the server had accepted before the backup is in it",
  cursor: "a cursor of before is refused by what was restored",
} as const;

const run = promisify(execFile);
const never = { failpoint: null, killAfterMs: null, from: "ready" } as const;

/** A backup is made while sessions are at work, the server is killed, and the proof of the kill loop holds on what is restored. */
export async function restorePart(scene: PartScene): Promise<void> {
  const { random, checklist, rig: newRig } = scene;
  checklist.expectCases(...Object.values(rules));
  const mock = await startMockEndpoint(random.branch("mock"));
  try {
    const rig = newRig({ name: "restore", providers: [mockProviderAt(mock.url)], env: tightSettings });
    const lost = await busyUntilKilled(scene, rig);
    if (lost !== null) await provedOnRestored(scene, rig, lost);
  } finally {
    await mock.close();
  }
}

interface Lost {
  readonly backup: Backup;
  /** What the server had promised when the backup was asked for. */
  readonly promised: readonly AcceptedEntry[];
  readonly world: World;
}

async function busyUntilKilled(scene: PartScene, rig: Rig): Promise<Lost | null> {
  const { options, random, checklist, say } = scene;
  const ending = new AbortController();
  const keeper = new Keeper({ ...rig, root: repository, checklist, onReady: () => {} });
  const transports = new Transports();
  const { world, pending } = createWorld({
    options: { checklist, random, rig },
    keeper,
    transports,
    stopping: ending.signal,
  });
  await firstLife(keeper, world);
  const busyMs = options.short ? 4_000 : 15_000;
  const dying = keeper.live({ failpoint: null, killAfterMs: 2.5 * busyMs, from: "ready" });
  const fates = new Fates({ random: random.branch("fates"), kills: 0, hitsEach: 0 });
  const done: Done = new Map();
  for (let index = 0; index < options.sessions; index++) world.track(actor(world, fates, { index, done }));
  await sleep(busyMs);
  const promised = [...world.ledger.accepted];
  const requests = world.ledger.requests;
  const backup = await backUp(world);
  say(
    `${promised.length} inputs were accepted before the backup, ${world.ledger.requests - requests} requests came meanwhile`,
  );
  checklist.check(rules.busy, world.ledger.requests > requests, () => "nobody asked for anything");
  await dying;
  ending.abort();
  const lastLife = keeper.live(never);
  await pending();
  await Promise.all(world.talks.map((talk) => talk.unfollow()));
  transports.close();
  await keeper.stop();
  await lastLife;
  const whole = backup?.status === "done" && backup.missingBlobs === 0;
  checklist.check(rules.backup, whole, () => JSON.stringify(backup));
  return backup === null || !whole ? null : { backup, promised, world };
}

/** Null when the server died first. */
async function backUp({ keeper, ledger }: World): Promise<Backup | null> {
  const door = await keeper.door();
  try {
    const begun = bodyOf<Backup>(await send(door, { method: "POST", path: "/backups", body: {} }), 202);
    for (let backup = begun; ;) {
      if (backup.status !== "running") return backup;
      await sleep(20);
      ledger.tick();
      backup = bodyOf<Backup>(await send(door, { method: "GET", path: `/backups/${backup.name}` }));
    }
  } catch {
    return null;
  }
}

async function provedOnRestored({ random, checklist, say }: PartScene, rig: Rig, lost: Lost): Promise<void> {
  const dataDir = join(rig.folder, "restored");
  const keys = join(rig.dataDir, "server.keys");
  const main = join(repository, "packages/server/src/main.ts");
  const args = [main, "restore", lost.backup.path, "--data", dataDir, "--keys", keys, "--json"];
  const failure = await run(process.execPath, args, { env: rig.env, cwd: repository }).then(
    () => null,
    (thrown: unknown) => (thrown instanceof Error ? thrown.message : String(thrown)),
  );
  if (!checklist.check(rules.restore, failure === null, () => failure ?? "")) return;
  const logFile = join(rig.folder, "restored.log");
  const keeper = new Keeper({ ...rig, dataDir, logFile, root: repository, checklist, onReady: () => {} });
  const life = keeper.live(never);
  const world = await worldOfRestored({ keeper, random, checklist, lost });
  const { deaths } = lost.world.keeper;
  const logs = new Map<string, Exported>();
  await checkCursor(world);
  await eachOf([...world.ledger.sessions.values()], 6, async (entry) => {
    const exported = await settle(world, entry);
    if (exported !== null) logs.set(entry.id, exported);
  });
  await keeper.stop();
  await life;
  say(`${logs.size} sessions went on after the restore`);
  for (const exported of logs.values()) {
    checkLog(checklist, exported, [...deaths, ...keeper.deaths]);
    checkFolds(checklist, exported, random);
  }
  checkInputs(checklist, ledgerOf(world.ledger, logs, lost.promised), logs);
  checkForks(checklist, logs);
  checkNoProcess(checklist, dataDir);
  checkBlobs(checklist, dataDir, logs);
  checkDatabase(checklist, dataDir, logs);
}

/** The same people at the other server. They know of the sessions that it has, and what they were promised in them. */
async function worldOfRestored(parts: {
  keeper: Keeper;
  random: PartScene["random"];
  checklist: PartScene["checklist"];
  lost: Lost;
}): Promise<World> {
  const { keeper, random, checklist, lost } = parts;
  const { ledger } = lost.world;
  const caller = new Caller({
    ledger,
    checklist,
    random: random.branch("restored caller"),
    door: () => keeper.door(),
    generation: () => keeper.generation,
  });
  const promisedIn = new Set(lost.promised.map(({ sessionId }) => sessionId));
  const known = [...ledger.sessions.keys()];
  for (const id of known) {
    const { reply } = await caller.call({ method: "GET", path: `/sessions/${id}` });
    if (promisedIn.has(id))
      checklist.check(rules.promised, reply.status === 200, () => `session ${id} is gone`, id);
    if (reply.status !== 200) ledger.sessions.delete(id);
  }
  return { ...lost.world, keeper, caller, talks: [], followers: [] };
}

async function checkCursor({ caller, checklist, ledger }: World): Promise<void> {
  const [id] = ledger.sessions.keys();
  const { reply } = await caller.call({ method: "GET", path: `/sessions/${id}/events?after=1.1` });
  checklist.check(rules.cursor, codeOf(reply) === "cursor_invalid", () => `${reply.status} ${codeOf(reply)}`);
}
