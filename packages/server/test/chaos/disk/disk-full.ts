import { type ApiReply, codeOf, type Door, send } from "../../support/server/api.ts";
import {
  lastLines,
  type ServerProcess,
  startServer,
  StartError,
} from "../../support/server/server-process.ts";
import { checkSoundness } from "../checks/leftover-rules.ts";
import type { Checklist } from "../checklist.ts";
import type { Rig } from "../kill-loop/rig.ts";
import { repository } from "../repository.ts";
import { sleep } from "../sleep.ts";
import type { SmallDisk } from "./small-disk.ts";
import { allDone, checkLog, speak, type Talked, talkTo, upload } from "./talk.ts";

/** Makes each message large, so that they fill what is left. */
const filling = "filling ".repeat(500);

const diskRules = {
  clear: "requests to a full disk are refused with disk_full, and with nothing else",
  reads: "what is there can still be read",
  alive: "the server outlives a full disk",
  goesOn: "what was accepted is done once there is room",
  next: "the session takes the next message, and files, once there is room",
  restart: "a server that is killed while the disk is full starts again, at the latest once there is room",
  log: "the log has no gap and no input twice",
} as const;

interface Scene {
  readonly rig: Rig;
  readonly disk: SmallDisk;
  readonly checklist: Checklist;
}

/** Fills the disk under a server at work, frees it, and does it again with a kill in between. */
export async function diskFull(scene: Scene): Promise<void> {
  const { rig, checklist } = scene;
  let server = await startServer({ ...rig, root: repository }).ready;
  let door: Door = { url: server.url, apiKey: rig.apiKey };
  const talked = await talkTo(() => door, checklist);
  try {
    await speak(door, talked, { filling });
    await fullAndFree(scene, { server, door, talked });
    server = await killedWhileFull(scene, server);
    door = { url: server.url, apiKey: rig.apiKey };
    await lastWords(scene, { door, talked });
    await checkLog({ checklist, rule: diskRules.log }, door, talked);
  } finally {
    await talked.follower.stop();
    await server.end("SIGTERM");
  }
  checkSoundness(checklist, rig.dataDir);
}

interface Running {
  readonly server: ServerProcess;
  readonly door: Door;
  readonly talked: Talked;
}

async function fullAndFree({ disk, checklist }: Scene, { server, door, talked }: Running): Promise<void> {
  const { id } = talked;
  let alive = true;
  void server.exited.then(() => (alive = false));
  // A run is under way when the disk fills up.
  const slow = [
    [
      { text: "a b c d e f g h", chunk: 1, delayMs: 60 },
      { tool: "bash_run", input: { command: "sleep 0.5" } },
    ],
    [{ text: "done" }],
  ];
  await speak(door, talked, { script: slow, filling });
  await sleep(300);
  disk.fill();
  const replies: ApiReply[] = [];
  for (let times = 0; times < 40 && !replies.some(({ status }) => status === 507); times++) {
    replies.push(await speak(door, talked, { filling }));
  }
  replies.push(await upload(door, id, 300_000));
  for (const reply of replies) {
    const right = reply.status < 300 || (reply.status === 507 && codeOf(reply) === "disk_full");
    checklist.check(diskRules.clear, right, () => `${reply.status} ${JSON.stringify(reply.json)}`);
  }
  const refused = replies.filter(({ status }) => status === 507).length;
  checklist.check(diskRules.clear, refused > 0, () => `none of ${replies.length} requests was refused`);
  const read = await send(door, { method: "GET", path: `/sessions/${id}/events?limit=100` });
  checklist.check(diskRules.reads, read.status === 200, () => `reading the events gave ${read.status}`);
  // A whole copy is told of in the audit log first: without room for that entry there is none.
  const copied = await send(door, { method: "GET", path: `/sessions/${id}/export` });
  const told = copied.status === 200 || copied.status === 507;
  checklist.check(diskRules.clear, told, () => `the export gave ${copied.status}`);
  await sleep(1_500);
  checklist.check(diskRules.alive, alive, () => "it ended");
  disk.free();
  await goesOn(checklist, { door, talked });
}

async function goesOn(checklist: Checklist, { door, talked }: Omit<Running, "server">): Promise<void> {
  const done = await allDone(door, talked);
  checklist.check(diskRules.goesOn, done, () => "after 60 s some inputs or runs are still open", talked.id);
}

/** Killed on a full disk, started on a full disk: it comes up, or it says why it cannot. */
async function killedWhileFull(
  { rig, disk, checklist }: Scene,
  before: ServerProcess,
): Promise<ServerProcess> {
  disk.fill();
  await before.end("SIGKILL");
  const starting = startServer({ ...rig, root: repository });
  const started = await starting.ready.catch((thrown: unknown) => thrown);
  if (started instanceof StartError) {
    const said = lastLines(rig.logFile);
    const clear = started.exit !== null && started.exit.code !== 0 && /full|room|space/i.test(said);
    checklist.check(diskRules.restart, clear, () => `it ended with ${started.exit?.code}: ${said}`);
  }
  await starting.end("SIGKILL");
  disk.free();
  const again = startServer({ ...rig, root: repository });
  await again.ready.then(
    () => checklist.holds(diskRules.restart),
    (thrown: unknown) => checklist.violated(diskRules.restart, String(thrown)),
  );
  return again.ready;
}

async function lastWords({ checklist }: Scene, { door, talked }: Omit<Running, "server">): Promise<void> {
  const { id } = talked;
  const reply = await speak(door, talked, { filling });
  checklist.check(
    diskRules.next,
    reply.status === 202,
    () => `${reply.status} ${JSON.stringify(reply.json)}`,
    id,
  );
  const uploaded = await upload(door, id, 300_000);
  checklist.check(diskRules.next, uploaded.status === 200, () => `the upload gave ${uploaded.status}`, id);
  await goesOn(checklist, { door, talked });
}
