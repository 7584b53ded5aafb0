import type { SessionEvent } from "@berth/contract";
import { type ApiReply, bodyOf, codeOf, type Door, send } from "../../support/server/api.ts";
import {
  lastLines,
  type ServerProcess,
  startServer,
  StartError,
} from "../../support/server/server-process.ts";
import { checkSoundness } from "../checks/leftover-rules.ts";
import type { Checklist } from "../checklist.ts";
import { Follower } from "../followers/follower.ts";
import { followSse } from "../followers/sse.ts";
import type { Rig } from "../kill-loop/rig.ts";
import { repository } from "../repository.ts";
import { sleep, until } from "../sleep.ts";
import type { SmallDisk } from "./small-disk.ts";

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
  const id = await session(door);
  const accepted: string[] = [];
  const follower = new Follower({
    sessionId: id,
    after: null,
    transport: "sse",
    open: followSse,
    door: () => Promise.resolve(door),
    checklist,
  });
  try {
    accepted.push(...(await speak(door, id)).inputs);
    await fullAndFree(scene, { server, door, id, accepted });
    server = await killedWhileFull(scene, server);
    door = { url: server.url, apiKey: rig.apiKey };
    await lastWords(scene, { door, id, accepted });
    const log = await logOf(door, id);
    const gap = log.findIndex(({ seq }, index) => seq !== index + 1);
    checklist.check(diskRules.log, gap === -1, () => `at line ${gap + 1}`, id);
    for (const inputId of accepted) {
      const events = log.filter((event) => event.inputId === inputId).length;
      checklist.check(diskRules.log, events === 1, () => `${inputId} has ${events} events`, id);
    }
    const seen = await until(() => follower.seq >= log.length, 10_000);
    checklist.check(diskRules.log, seen, () => `the follower is at ${follower.seq} of ${log.length}`, id);
  } finally {
    await follower.stop();
    await server.end("SIGTERM");
  }
  checkSoundness(checklist, rig.dataDir);
}

interface Running {
  readonly server: ServerProcess;
  readonly door: Door;
  readonly id: string;
  readonly accepted: string[];
}

async function fullAndFree(
  { disk, checklist }: Scene,
  { server, door, id, accepted }: Running,
): Promise<void> {
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
  accepted.push(...(await speak(door, id, slow)).inputs);
  await sleep(300);
  disk.fill();
  const replies: ApiReply[] = [];
  for (let times = 0; times < 40 && !replies.some(({ status }) => status === 507); times++) {
    const { reply, inputs } = await speak(door, id);
    replies.push(reply);
    accepted.push(...inputs);
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
  await allDone(checklist, { door, id, accepted });
}

async function allDone(checklist: Checklist, { door, id, accepted }: Omit<Running, "server">): Promise<void> {
  const done = await until(
    async () => {
      const log = await logOf(door, id);
      const taken = accepted.every((inputId) => log.some((event) => event.inputId === inputId));
      const begun = log.filter(({ type }) => type === "run.started").length;
      return taken && begun === log.filter(({ type }) => type === "run.finished").length;
    },
    60_000,
    200,
  );
  checklist.check(diskRules.goesOn, done, () => "after 60 s some inputs or runs are still open", id);
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

async function lastWords(
  { checklist }: Scene,
  { door, id, accepted }: Omit<Running, "server">,
): Promise<void> {
  const { reply, inputs } = await speak(door, id);
  accepted.push(...inputs);
  checklist.check(
    diskRules.next,
    reply.status === 202,
    () => `${reply.status} ${JSON.stringify(reply.json)}`,
    id,
  );
  const uploaded = await upload(door, id, 300_000);
  checklist.check(diskRules.next, uploaded.status === 200, () => `the upload gave ${uploaded.status}`, id);
  await allDone(checklist, { door, id, accepted });
}

async function session(door: Door): Promise<string> {
  const definition = {
    name: "writer",
    model: "scripted/script",
    tools: ["*"],
    permissions: { mode: "auto" },
  };
  bodyOf(await send(door, { method: "POST", path: "/agents", body: definition }), 201);
  const made = await send(door, { method: "POST", path: "/sessions", body: { agent: "writer" } });
  return bodyOf<{ id: string }>(made, 201).id;
}

async function speak(door: Door, id: string, script: unknown = [[{ text: "well" }]]) {
  const content = `${"filling ".repeat(500)}${JSON.stringify({ script })}`;
  const body = { events: [{ type: "user.message", content }] };
  const reply = await send(door, { method: "POST", path: `/sessions/${id}/events`, body });
  const inputs = reply.status === 202 ? (reply.json as { inputs: readonly { id: string }[] }).inputs : [];
  return { reply, inputs: inputs.map((input) => input.id) };
}

function upload(door: Door, id: string, size: number): Promise<ApiReply> {
  const bytes = Buffer.alloc(size, Math.floor(performance.now()) % 256);
  return send(door, { method: "PUT", path: `/sessions/${id}/files/big.bin`, bytes });
}

async function logOf(door: Door, id: string): Promise<readonly SessionEvent[]> {
  const { bytes, status } = await send(door, { method: "GET", path: `/sessions/${id}/export` });
  if (status !== 200) return [];
  const lines = Buffer.from(bytes).toString("utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as SessionEvent);
}
