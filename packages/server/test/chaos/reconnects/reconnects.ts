import type { SessionEvent } from "@berth/contract";
import { hashJson } from "../../../src/lib/canonical-json.ts";
import { bodyOf, type Door, send } from "../../support/server/api.ts";
import { type ServerProcess, startServer } from "../../support/server/server-process.ts";
import type { Checklist } from "../checklist.ts";
import { Follower, followerRules } from "../followers/follower.ts";
import { SharedSocket } from "../followers/shared-socket.ts";
import { followSocket } from "../followers/socket.ts";
import { followSse } from "../followers/sse.ts";
import { mockProviderAt, type Rig } from "../kill-loop/rig.ts";
import { startMockEndpoint } from "../kill-loop/mock-endpoint.ts";
import { prose, type Turn } from "../kill-loop/script.ts";
import type { PartScene } from "../part.ts";
import type { Random } from "../random.ts";
import { repository } from "../repository.ts";
import { sleep, until } from "../sleep.ts";
import { type CuttingProxy, startCuttingProxy } from "./cutting-proxy.ts";

const reconnectRules = {
  lost: "0 events are lost",
  repeated: "0 events are repeated",
  texts: "texts put together from deltas are those of the log",
  often: "every kind of connection was cut, also in the middle of texts",
} as const;

const transports = [
  { name: "sse", open: followSse },
  { name: "websocket", open: followSocket },
] as const;

/** Followers of sessions at work, through a proxy that cuts their connections at random moments. */
export async function reconnectsPart(part: PartScene): Promise<void> {
  const { options, random, checklist, say } = part;
  const mock = await startMockEndpoint(random.branch("mock"));
  const rig = part.rig({ name: "reconnects", providers: [mockProviderAt(mock.url)] });
  const server = await startServer({ ...rig, root: repository }).ready;
  const proxy = await startCuttingProxy(server.url);
  try {
    await run({ rig, server, proxy, random, checklist, say, wanted: options.reconnects });
  } finally {
    await proxy.close();
    await server.end("SIGTERM");
    await mock.close();
  }
}

interface Scene {
  readonly rig: Rig;
  readonly server: ServerProcess;
  readonly proxy: CuttingProxy;
  readonly random: Random;
  readonly checklist: Checklist;
  readonly say: (line: string) => void;
  readonly wanted: number;
}

interface Followed {
  readonly id: string;
  readonly followers: readonly Follower[];
}

/** Many reconnects are spread over more sessions: the time between two cuts of one connection stays the same. */
const sessionsFor = (wanted: number): number => (wanted > 10_000 ? 12 : 4);

async function run(scene: Scene): Promise<void> {
  const { rig, server, proxy, random, checklist, wanted } = scene;
  const direct: Door = { url: server.url, apiKey: rig.apiKey };
  const cuttable: Door = { url: proxy.url, apiKey: rig.apiKey };
  const shared = new SharedSocket();
  const sessions = await Promise.all(
    Array.from({ length: sessionsFor(wanted) }, (_, index) =>
      begin({ direct, cuttable, shared, random, checklist, index }),
    ),
  );
  const talking = new AbortController();
  const talks = sessions.map(({ id }, index) => talk(direct, { id, index, random, signal: talking.signal }));
  const cuts = await cutUntil(scene, sessions, wanted);
  talking.abort();
  await Promise.all(talks);
  for (const { id, followers } of sessions) await compare(scene, direct, { id, followers });
  shared.cut();
  const all = sessions.flatMap(({ followers }) => followers);
  report(scene, all, cuts);
}

async function begin(parts: {
  direct: Door;
  cuttable: Door;
  shared: SharedSocket;
  random: Random;
  checklist: Checklist;
  index: number;
}): Promise<Followed> {
  const { direct, cuttable, shared, checklist, index } = parts;
  const agent = `talker-${index}`;
  const model = index % 2 === 0 ? "scripted/script" : "mock/nonce";
  const definition = { name: agent, model, tools: ["*"], permissions: { mode: "auto" } };
  bodyOf(await send(direct, { method: "POST", path: "/agents", body: definition }), 201);
  const made = await send(direct, { method: "POST", path: "/sessions", body: { agent } });
  const { id } = bodyOf<{ id: string }>(made, 201);
  const options = { sessionId: id, after: null, door: () => Promise.resolve(cuttable), checklist };
  const own = transports.map(({ name, open }) => new Follower({ ...options, transport: name, open }));
  const common = new Follower({ ...options, transport: "shared websocket", open: shared.follow });
  return { id, followers: [...own, common] };
}

/** Texts that are being written most of the time, with a tool now and then. */
async function talk(
  door: Door,
  { id, index, random, signal }: { id: string; index: number; random: Random; signal: AbortSignal },
): Promise<void> {
  const own = random.branch(`talk ${index}`);
  while (!signal.aborted) {
    const writing: Turn = [
      { text: prose(own, own.int(30, 120)), chunk: own.int(2, 12), delayMs: own.int(1, 6) },
    ];
    const tool: Turn = [{ tool: "bash_run", input: { command: "seq 1 20" } }];
    const content = JSON.stringify({ script: own.chance(0.3) ? [tool, writing] : [writing] });
    const body = { events: [{ type: "user.message", content }] };
    const sent = await send(door, { method: "POST", path: `/sessions/${id}/events`, body });
    const { inputs } = bodyOf<{ inputs: readonly { runId: string }[] }>(sent, 202);
    const path = `/runs/${inputs[0]?.runId}`;
    await until(async () => {
      const { status } = bodyOf<{ status: string }>(await send(door, { method: "GET", path }));
      return status !== "queued" && status !== "running";
    }, 30_000);
  }
}

/** Cuts one connection after the other until each follower together has connected again often enough. */
async function cutUntil(
  { proxy, random }: Scene,
  sessions: readonly Followed[],
  wanted: number,
): Promise<number> {
  const own = random.branch("cuts");
  const all = sessions.flatMap(({ followers }) => followers);
  const again = () => all.reduce((sum, { connections }) => sum + Math.max(0, connections - 1), 0);
  const pauseMs = Math.round(160 / sessions.length);
  let cuts = 0;
  // As much as a second of silence for each cut, should the followers not come back.
  const deadline = performance.now() + wanted * 1_000;
  while (again() < wanted && performance.now() < deadline) {
    if (proxy.cut(own.int(0, 1_000))) cuts += 1;
    await sleep(own.int(1, pauseMs));
  }
  return cuts;
}

async function compare({ checklist }: Scene, door: Door, { id, followers }: Followed): Promise<void> {
  const exported = await send(door, { method: "GET", path: `/sessions/${id}/export` });
  const lines = Buffer.from(exported.bytes).toString("utf8").trimEnd().split("\n");
  const log = lines.map((line) => JSON.parse(line) as SessionEvent);
  await until(() => followers.every(({ seq }) => seq >= log.length), 15_000);
  const hashes = log.map((event) => hashJson(event));
  for (const follower of followers) {
    await follower.stop();
    const { seen, transport, texts } = follower;
    const distinct = new Set(seen);
    const missing = hashes.filter((hash) => !distinct.has(hash)).length;
    checklist.check(
      reconnectRules.lost,
      missing === 0,
      () => `${transport} lost ${missing} of ${log.length}`,
      id,
    );
    const repeated = seen.length - distinct.size;
    checklist.check(reconnectRules.repeated, repeated === 0, () => `${transport} saw ${repeated} twice`, id);
    const same = seen.length === hashes.length && seen.every((hash, index) => hash === hashes[index]);
    checklist.check(followerRules.log, same, () => `${transport} saw another order`, id);
    // One server, one attempt: nothing may ever be shown that is not in the log.
    const { replaced } = texts.tally;
    checklist.check(
      reconnectRules.texts,
      replaced === 0,
      () => `${transport} showed ${replaced} other texts`,
      id,
    );
  }
}

function report({ checklist, say }: Scene, all: readonly Follower[], cuts: number): void {
  const byTransport = Map.groupBy(all, ({ transport }) => transport);
  const lines = [...byTransport].map(([transport, of]) => {
    const sum = (read: (follower: Follower) => number) => of.reduce((total, each) => total + read(each), 0);
    const again = sum(({ connections }) => connections - 1);
    const inText = sum(({ breaksInText }) => breaksInText);
    checklist.check(
      reconnectRules.often,
      again > 0 && inText > 0,
      () => `${transport}: ${again}, ${inText} in texts`,
    );
    const { whole, beginnings } = {
      whole: sum(({ texts }) => texts.tally.whole),
      beginnings: sum(({ texts }) => texts.tally.beginnings),
    };
    const events = sum(({ seen }) => seen.length);
    return `${transport.padEnd(18)}${again} reconnects, ${inText} of them in the middle of a text; ${events} events; ${whole} texts whole from deltas, ${beginnings} finished by the log`;
  });
  say(`${cuts} connections cut`);
  for (const line of lines) say(line);
}
