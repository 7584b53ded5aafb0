import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeOf, type Door, send } from "../../support/server/api.ts";
import {
  lastLines,
  type ServerProcess,
  startServer,
  StartError,
} from "../../support/server/server-process.ts";
import { checkNoProcess, checkSoundness } from "../checks/leftover-rules.ts";
import type { Checklist } from "../checklist.ts";
import type { Rig } from "../kill-loop/rig.ts";
import { repository } from "../repository.ts";
import { sleep, until } from "../sleep.ts";
import type { Ext4Disk } from "./ext4-disk.ts";
import { allDone, checkLog, speak, type Talked, talkTo, upload } from "./talk.ts";

const rules = {
  real: "the folder really was read-only: a file written there by hand is refused with EROFS",
  clear: "read-only: requests that change something are refused with 503 store_unavailable and what to do",
  reads: "read-only: what is there can still be read",
  alive: "the server outlives a read-only folder",
  unready:
    "read-only: /readyz says that nothing can be written and what to do, /healthz that the server lives",
  quiet: "read-only: the log tells it once and not at every turn",
  stop: "a server on a read-only folder stops when it is told to, and says so if it leaves something to the next",
  start: "a server does not start on a read-only folder, and says what to do",
  again: "a folder that can be written again is used again, without a restart",
  done: "read-only: what was accepted is done once the folder can be written",
  next: "read-only: the session takes the next message, and files, once the folder can be written",
  log: "read-only: the log has no gap, no input and no run twice, and the follower saw all of it once",
} as const;

export interface ReadOnlyScene {
  readonly rig: Rig;
  readonly disk: Ext4Disk;
  readonly checklist: Checklist;
}

/** Takes the folder's writes away from a server at work and gives them back, then breaks its file system for good. Null, or why not. */
export async function readOnly(scene: ReadOnlyScene): Promise<string | null> {
  const { rig, disk, checklist } = scene;
  let server = await startServer({ ...rig, root: repository }).ready;
  let door: Door = { url: server.url, apiKey: rig.apiKey };
  const talked = await talkTo(() => door, checklist);
  try {
    await speak(door, talked);
    await forbiddenAndAllowed(scene, { server, door, talked });
    await speak(door, talked, { script: slow });
    await sleep(300);
    const logged = readFileSync(rig.logFile, "utf8").length;
    const hindered = disk.fail();
    if (hindered !== null) return hindered;
    checklist.check(rules.real, writeByHand(rig.dataDir) === "EROFS", () => writeByHand(rig.dataDir));
    await refusing(scene, { server, door, talked, logged });
    await stopping(scene, server);
    await noStart(scene);
    disk.mend();
    server = await startServer({ ...rig, root: repository }).ready;
    door = { url: server.url, apiKey: rig.apiKey };
    await lastWords(scene, { door, talked });
    await checkLog({ checklist, rule: rules.log }, door, talked);
  } finally {
    await talked.follower.stop();
    await server.end("SIGTERM");
  }
  checkNoProcess(checklist, rig.dataDir);
  checkSoundness(checklist, rig.dataDir);
  return null;
}

/** A run that is under way when the folder becomes read-only. */
const slow = [
  [
    { text: "a b c d e f g h", chunk: 1, delayMs: 60 },
    { tool: "bash_run", input: { command: "sleep 0.5" } },
  ],
  [{ text: "done" }],
];

interface Running {
  readonly server: ServerProcess;
  readonly door: Door;
  readonly talked: Talked;
}

/** Files that nobody may change for a while stand for a folder that is read-only for a while: a mounted one cannot be made so while it is used. */
async function forbiddenAndAllowed(
  { rig, checklist }: ReadOnlyScene,
  { door, talked }: Running,
): Promise<void> {
  const files = ["berth.db", "berth.db-wal"].map((name) => join(rig.dataDir, name));
  const mark = (how: "+i" | "-i") => spawnSync("chattr", [how, ...files, rig.dataDir]).status === 0;
  await speak(door, talked, { script: slow });
  await sleep(300);
  if (!checklist.check(rules.again, mark("+i"), () => "chattr +i failed")) return;
  try {
    const unready = await until(async () => !(await readiness(door)).ready, 10_000, 100);
    checklist.check(rules.unready, unready, () => "it still is ready after 10 s");
    const refused = await speak(door, talked);
    const clear = refused.status === 503 && codeOf(refused) === "store_unavailable";
    checklist.check(rules.clear, clear, () => `${refused.status} ${JSON.stringify(refused.json)}`);
  } finally {
    mark("-i");
  }
  const ready = await until(async () => (await readiness(door)).ready, 10_000, 100);
  checklist.check(rules.again, ready, () => "it is not ready after 10 s");
  const done = await allDone(door, talked);
  checklist.check(rules.done, done, () => "after 60 s some inputs or runs are still open", talked.id);
}

/** Longer than it takes this server to miss its lease. */
const whileMs = 3_500;
/** Far longer than there is anything to wait for. */
const stopMs = 30_000;

async function refusing(
  { rig, checklist }: ReadOnlyScene,
  { server, door, talked, logged }: Running & { readonly logged: number },
): Promise<void> {
  const { id } = talked;
  let alive = true;
  void server.exited.then(() => (alive = false));
  const deadline = performance.now() + whileMs;
  while (performance.now() < deadline) {
    for (const reply of [await speak(door, talked), await upload(door, id, 3_000)]) {
      const told =
        codeOf(reply) === "store_unavailable" && /read-only.*mount it/.test(JSON.stringify(reply.json));
      checklist.check(
        rules.clear,
        reply.status === 503 && told,
        () => `${reply.status} ${JSON.stringify(reply.json)}`,
      );
    }
    for (const path of ["", "/events?limit=100", "/files"]) {
      const { status } = await send(door, { method: "GET", path: `/sessions/${id}${path}` });
      checklist.check(rules.reads, status === 200, () => `GET ${path} gave ${status}`);
    }
    const { ready, text } = await readiness(door);
    checklist.check(rules.unready, !ready && /read-only.*mount it/.test(text), () => text);
    const health = await fetch(`${door.url}/healthz`);
    checklist.check(rules.unready, health.ok, () => `/healthz gives ${health.status}`);
    await sleep(250);
  }
  checklist.check(rules.alive, alive, () => "it ended");
  const lines = readFileSync(rig.logFile, "utf8").slice(logged).split("\n");
  const grave = lines.filter((line) => line.includes('"level":"error"'));
  const once = grave.length === 1 && grave[0]?.includes("the store cannot be written");
  checklist.check(
    rules.quiet,
    once === true,
    () => `${grave.length} errors:\n${grave.slice(0, 4).join("\n")}`,
  );
}

async function stopping({ rig, checklist }: ReadOnlyScene, server: ServerProcess): Promise<void> {
  const ended = new AbortController();
  const exit = await Promise.race([server.end("SIGTERM"), sleep(stopMs, ended.signal)]);
  ended.abort();
  const said = lastLines(rig.logFile, 1);
  const orderly = exit?.code === 0 || (exit?.code === 1 && /Berth has stopped, and leaves.*EROFS/.test(said));
  checklist.check(rules.stop, orderly, () => `it ended with ${exit?.code}: ${said}`);
  await server.end("SIGKILL");
}

async function noStart({ rig, checklist }: ReadOnlyScene): Promise<void> {
  const starting = startServer({ ...rig, root: repository });
  const started = await starting.ready.catch((thrown: unknown) => thrown);
  await starting.end("SIGKILL");
  const code = started instanceof StartError ? started.exit?.code : null;
  const said = lastLines(rig.logFile, 1);
  const clear = /^Berth could not start: .*read-only.*mount its file system for writing/.test(said);
  checklist.check(rules.start, code === 1 && clear, () => `it ended with ${code}: ${lastLines(rig.logFile)}`);
}

async function lastWords(
  { checklist }: ReadOnlyScene,
  { door, talked }: Omit<Running, "server">,
): Promise<void> {
  const { id } = talked;
  const { status } = await speak(door, talked);
  checklist.check(rules.next, status === 202, () => `the message gave ${status}`, id);
  const uploaded = await upload(door, id, 300_000);
  checklist.check(rules.next, uploaded.status === 200, () => `the upload gave ${uploaded.status}`, id);
  const done = await allDone(door, talked);
  checklist.check(rules.done, done, () => "after 60 s some inputs or runs are still open", id);
}

async function readiness({ url }: Door): Promise<{ readonly ready: boolean; readonly text: string }> {
  const response = await fetch(`${url}/readyz`);
  return { ready: response.status === 200, text: await response.text() };
}

/** What the system says to somebody else who writes there; empty when it lets him. */
function writeByHand(dataDir: string): string {
  try {
    writeFileSync(join(dataDir, "by-hand"), "");
    return "";
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown ? String(thrown.code) : String(thrown);
  }
}
