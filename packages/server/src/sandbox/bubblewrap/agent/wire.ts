import { Socket } from "node:net";
import {
  charge,
  creditFrame,
  dataHeader,
  eofFrame,
  maxChunkBytes,
  messageFrame,
  windowBytes,
} from "./frames.ts";

/** What goes out to the host; all of one turn of the event loop in one write. */
export interface Wire {
  send(message: object): void;
  data(channel: number, chunk: Buffer): void;
  eof(channel: number): void;
  credit(channel: number, bytes: number): void;
}

/** Something that the host has opened by a number. */
export interface Channel {
  /** Bytes for it. */
  data(chunk: Buffer): void;
  eof(): void;
  /** The host has done with so many bytes of what this channel sent. */
  credit(bytes: number): void;
  /** Ends it, with all that belongs to it. */
  close(): void;
  resize?(columns: number, rows: number): void;
}

export function openWire(output: Socket): Wire {
  let corked = false;
  function post(...buffers: Buffer[]): void {
    if (!corked) {
      corked = true;
      output.cork();
      process.nextTick(() => {
        corked = false;
        output.uncork();
      });
    }
    for (const buffer of buffers) output.write(buffer);
  }
  return {
    send: (message) => post(messageFrame(message)),
    data: (channel, chunk) => post(dataHeader(channel, chunk.length), chunk),
    eof: (channel) => post(eofFrame(channel)),
    credit: (channel, bytes) => post(creditFrame(channel, bytes)),
  };
}

/** Sends what a socket gives, as far as the channel's window allows; the socket is not read meanwhile. */
export function forward(wire: Wire, channel: number, source: Socket): (bytes: number) => void {
  let room = windowBytes;
  source.on("data", (bytes: Buffer) => {
    for (let at = 0; at < bytes.length; at += maxChunkBytes) {
      const chunk = bytes.subarray(at, at + maxChunkBytes);
      room -= charge(chunk.length);
      wire.data(channel, chunk);
    }
    if (room < maxChunkBytes) source.pause();
  });
  return (bytes) => {
    room += bytes;
    if (room >= maxChunkBytes && source.isPaused()) source.resume();
  };
}

/** Gives a chunk to a socket and credits it when the socket has taken it, or never will. */
export function deliver(wire: Wire, channel: number, sink: Socket, chunk: Buffer): void {
  if (sink.destroyed || sink.writableEnded) wire.credit(channel, charge(chunk.length));
  else sink.write(chunk, () => wire.credit(channel, charge(chunk.length)));
}
