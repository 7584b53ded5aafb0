import { once } from "node:events";
import type { Socket } from "node:net";
import { expect } from "vitest";
import type { Clock } from "../../../src/lib/clock.ts";
import {
  dataHeader,
  FrameReader,
  frameKinds,
  messageFrame,
} from "../../../src/sandbox/bubblewrap/agent/frames.ts";
import { type AgentClient, connectAgent } from "../../../src/sandbox/bubblewrap/agent-client.ts";
import { socketPair } from "./socket-pair.ts";

interface Heard {
  readonly type: string;
  readonly channel: number;
}

/** An agent that does what the test says. */
export interface FakeAgent {
  /** The host's side of it. */
  readonly connecting: Promise<AgentClient>;
  /** Messages of the host, in order. */
  readonly heard: readonly Heard[];
  readonly say: (...frames: readonly Uint8Array[]) => void;
  /** Waits for the host's first message of a type; its channel. */
  readonly hears: (type: string) => Promise<number>;
  readonly leave: () => void;
  readonly close: () => Promise<void>;
}

/** Begins with these bytes; with none it says nothing. */
export async function startFakeAgent(clock: Clock, first?: Uint8Array): Promise<FakeAgent> {
  const [near, far] = await socketPair();
  const heard: Heard[] = [];
  const reader = new FrameReader();
  far.on("error", () => undefined);
  far.on("data", (chunk: Buffer) => {
    for (const { kind, payload } of reader.push(chunk)) {
      if (kind === frameKinds.message) heard.push(JSON.parse(payload.toString()) as Heard);
    }
  });
  if (first !== undefined) far.write(first);
  const connecting = connectAgent({
    input: near,
    output: near,
    clock,
    environment: {},
    proxy: false,
    maxProcesses: () => 4,
  });
  const find = (type: string) => heard.find((message) => message.type === type);
  return {
    connecting,
    heard,
    say: (...frames) => void far.write(Buffer.concat(frames)),
    async hears(type) {
      await expect.poll(() => find(type), { interval: 2 }).toBeDefined();
      return find(type)?.channel ?? 0;
    },
    leave: () => void far.destroy(),
    async close() {
      (await connecting.catch(() => null))?.close();
      await Promise.all([ended(near), ended(far)]);
    },
  };
}

async function ended(socket: Socket): Promise<void> {
  if (socket.closed) return;
  const closed = once(socket, "close");
  socket.destroy();
  await closed;
}

export function dataFrame(channel: number, bytes: Uint8Array | string): Buffer {
  const content = Buffer.from(bytes);
  return Buffer.concat([dataHeader(channel, content.length), content]);
}

/** Any bytes as a frame, with any length in front. */
export function rawFrame(kind: number, payload: Uint8Array, length = payload.length + 1): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(length);
  header[4] = kind;
  return Buffer.concat([header, payload]);
}

export const readyFrame = messageFrame({ type: "ready" });
export const startedFrame = (channel: number) => messageFrame({ type: "started", channel });
export const endFrame = (channel: number, code: number | null = 0) =>
  messageFrame({ type: "end", channel, code, signal: null, left: 0 });
