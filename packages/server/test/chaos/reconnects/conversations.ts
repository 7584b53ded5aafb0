import type { SessionEvent } from "@berth/contract";
import { bodyOf, type Door, send } from "../../support/server/api.ts";
import type { Checklist } from "../checklist.ts";
import { Follower } from "../followers/follower.ts";
import { SharedSocket } from "../followers/shared-socket.ts";
import { followSocket } from "../followers/socket.ts";
import { followSse } from "../followers/sse.ts";
import { prose, type Step, type Turn } from "../kill-loop/script.ts";
import type { Random } from "../random.ts";
import { until } from "../sleep.ts";

/** How many are talked to, and how many follow each of them over each kind of connection. */
interface Group {
  /** A brisk one writes a line of the log in no time; a slow one writes one text for seconds, so that most cuts fall into it. */
  readonly pace: "brisk" | "slow";
  readonly sessions: number;
  readonly followersEach: number;
}

/** A session that is talked to, and who follows it. */
export interface Conversation {
  readonly id: string;
  readonly pace: Group["pace"];
  readonly followers: readonly Follower[];
  /** Runs of which a follower saw the end. */
  readonly ended: ReadonlySet<string>;
}

export interface Conversations {
  readonly all: readonly Conversation[];
  /** Connections that they hold when nothing is cut. */
  readonly connections: number;
  /** Breaks the shared connections, for the end. */
  close(): void;
}

/** A long run has many slow texts: what it takes is many followers, each of which is cut about once in a second. */
export function groupsFor(reconnects: number): readonly Group[] {
  if (reconnects < 5_000) return [{ pace: "brisk", sessions: 4, followersEach: 1 }];
  return [
    { pace: "brisk", sessions: 4, followersEach: 1 },
    { pace: "slow", sessions: 30, followersEach: 5 },
  ];
}

const transports = [
  { name: "sse", open: followSse },
  { name: "websocket", open: followSocket },
] as const;

/** Sessions that one shared WebSocket follows. */
const sessionsPerSocket = 6;
/** A slow text takes 40 s at most; on a machine that is busy with other things, longer. */
const turnMs = 120_000;

interface Doors {
  readonly direct: Door;
  readonly cuttable: Door;
}

/** Makes the sessions and lets them be followed. */
export async function beginConversations(
  groups: readonly Group[],
  { doors, checklist }: { doors: Doors; checklist: Checklist },
): Promise<Conversations> {
  const wanted = groups.flatMap((group) => Array.from({ length: group.sessions }, () => group));
  const shared = Array.from(
    { length: Math.ceil(wanted.length / sessionsPerSocket) },
    () => new SharedSocket(),
  );
  const all = await Promise.all(
    wanted.map((group, index) => {
      const socket = shared[Math.floor(index / sessionsPerSocket)] ?? new SharedSocket();
      return begin(group, { ...doors, checklist, index, shared: socket });
    }),
  );
  const own = wanted.reduce((sum, { followersEach }) => sum + followersEach * transports.length, 0);
  return {
    all,
    connections: own + shared.length,
    close: () => {
      for (const socket of shared) socket.cut();
    },
  };
}

async function begin(
  { pace, followersEach }: Group,
  parts: Doors & { checklist: Checklist; index: number; shared: SharedSocket },
): Promise<Conversation> {
  const { direct, cuttable, checklist, index, shared } = parts;
  const agent = `talker-${index}`;
  const model = pace === "slow" || index % 2 === 0 ? "scripted/script" : "mock/nonce";
  const definition = { name: agent, model, tools: ["*"], permissions: { mode: "auto" } };
  bodyOf(await send(direct, { method: "POST", path: "/agents", body: definition }), 201);
  const made = await send(direct, { method: "POST", path: "/sessions", body: { agent } });
  const { id } = bodyOf<{ id: string }>(made, 201);
  const ended = new Set<string>();
  const base = { sessionId: id, after: null, door: () => Promise.resolve(cuttable), checklist };
  const onEvent = ({ type, runId }: SessionEvent) => {
    if (type === "run.finished" && runId !== undefined) ended.add(runId);
  };
  const kinds = [...transports, { name: "shared websocket", open: shared.follow }];
  const followers = Array.from({ length: followersEach }, () =>
    kinds.map(({ name, open }) => new Follower({ ...base, transport: name, open, onEvent })),
  );
  return { id, pace, followers: followers.flat(), ended };
}

/** Texts that are being written most of the time, with a tool now and then, until the signal aborts. */
export async function talk(
  door: Door,
  { id, pace, ended }: Conversation,
  { random, signal }: { random: Random; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    const writing: Turn = [pace === "slow" ? slowText(random) : briskText(random)];
    const tool: Turn = [{ tool: "bash_run", input: { command: "seq 1 20" } }];
    const content = JSON.stringify({ script: random.chance(0.3) ? [tool, writing] : [writing] });
    const body = { events: [{ type: "user.message", content }] };
    const sent = await send(door, { method: "POST", path: `/sessions/${id}/events`, body });
    const { inputs } = bodyOf<{ inputs: readonly { runId: string }[] }>(sent, 202);
    await until(() => ended.has(inputs[0]?.runId ?? ""), turnMs);
  }
}

function briskText(random: Random): Step {
  return { text: prose(random, random.int(30, 120)), chunk: random.int(2, 12), delayMs: random.int(1, 6) };
}

function slowText(random: Random): Step {
  return {
    text: prose(random, random.int(60, 200)),
    chunk: random.int(8, 24),
    delayMs: random.int(150, 500),
  };
}
