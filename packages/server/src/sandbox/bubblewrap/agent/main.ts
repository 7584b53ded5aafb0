import { readFileSync } from "node:fs";
import { Socket } from "node:net";
import { Refusal, startCommand, type StartMessage } from "./commands.ts";
import { FrameReader, frameKinds } from "./frames.ts";
import { preparePipes } from "./pipes.ts";
import { forwardEgress, listening, openPort } from "./ports.ts";
import { type Channel, openWire } from "./wire.ts";

type Message =
  | StartMessage
  | { readonly type: "connect"; readonly channel: number; readonly port: number }
  | { readonly type: "resize"; readonly channel: number; readonly columns: number; readonly rows: number }
  | { readonly type: "close" | "ping" | "listening"; readonly channel: number };

const input = new Socket({ fd: 0, readable: true, writable: false });
const output = new Socket({ fd: 1, readable: false, writable: true });
const wire = openWire(output);
const channels = new Map<number, Channel>();
const reader = new FrameReader();

function open(channel: number, begin: (ended: () => void) => Channel): void {
  try {
    channels.set(
      channel,
      begin(() => channels.delete(channel)),
    );
  } catch (thrown) {
    const code = thrown instanceof Refusal ? thrown.code : "command_failed_to_start";
    wire.send({ type: "failed", channel, code });
  }
}

function take(message: Message): void {
  const { channel } = message;
  switch (message.type) {
    case "start":
      open(channel, (ended) => startCommand(wire, message, ended));
      return;
    case "connect":
      open(channel, (ended) => openPort(wire, channel, message.port, ended));
      return;
    case "resize":
      channels.get(channel)?.resize?.(message.columns, message.rows);
      return;
    case "close":
      channels.get(channel)?.close();
      return;
    case "ping":
      wire.send({ type: "pong", channel });
      return;
    case "listening":
      wire.send({ type: "ports", channel, ports: listening() });
  }
}

/** The host may name a channel that has just ended. */
function takeFrame(kind: number, payload: Buffer): void {
  if (kind === frameKinds.message) return take(JSON.parse(payload.toString()) as Message);
  const channel = channels.get(payload.readUInt32BE(0));
  if (kind === frameKinds.data) channel?.data(payload.subarray(4));
  else if (kind === frameKinds.eof) channel?.eof();
  else if (kind === frameKinds.credit) channel?.credit(payload.readUInt32BE(4));
}

/** It ends what it does not know: that must never be more than a sandbox. */
function inSandbox(): boolean {
  return process.ppid === 1 && readFileSync("/proc/1/comm", "utf8") === "bwrap\n";
}

function leave(): void {
  process.kill(process.pid, "SIGKILL");
}

if (!inSandbox()) leave();
output.on("error", leave);
input.on("error", leave);
input.once("end", leave);
input.on("data", (chunk: Buffer) => {
  for (const { kind, payload } of reader.push(chunk)) takeFrame(kind, payload);
});
forwardEgress();
wire.send({ type: "ready" });
setImmediate(preparePipes);
