import { expect, it } from "vitest";
import { createManualClock } from "../../../test/support/manual-clock.ts";
import type { ProcessEvent } from "../sandbox.ts";
import { createBackground } from "./background.ts";
import type { ProcessEnd, RunningProcess, StartProcess } from "./running-process.ts";

const mebibyte = 1024 * 1024;

/** A process that does what the test says. */
function puppet(given: Pick<RunningProcess, "write" | "resize"> = {}) {
  const { promise, resolve } = Promise.withResolvers<ProcessEnd>();
  let print: (chunk: Buffer) => void = () => undefined;
  return {
    print: (text: string) => print(Buffer.from(text)),
    end: resolve,
    start: (async (onOutput) => {
      print = onOutput;
      return { ...given, ended: promise, kill: async () => resolve({ code: null, signal: "SIGKILL" }) };
    }) satisfies StartProcess,
  };
}

async function read(events: AsyncIterable<ProcessEvent>): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of events) {
    if (event.type === "end") seen.push(`end ${event.code} ${event.reason}`);
    else seen.push(`${event.stream} ${event.offset} ${Buffer.from(event.data).toString()}`);
  }
  return seen;
}

it("follows a process from any offset to its end, also when it has ended", async () => {
  const background = createBackground(createManualClock());
  const process = puppet();
  const { id } = await background.start({ command: "x" }, process.start);
  process.print("abc");
  const live = read(background.attach(id));
  const later = read(background.attach(id, { from: 2 }));
  await new Promise(setImmediate);
  process.print("de");
  await new Promise(setImmediate);
  process.end({ code: 3, signal: null, reason: "oom" });
  expect(await live).toEqual(["stdout 0 abc", "stdout 3 de", "end 3 oom"]);
  expect(await later).toEqual(["stdout 2 c", "stdout 3 de", "end 3 oom"]);
  expect(await read(background.attach(id, { from: 99 }))).toEqual(["end 3 oom"]);
});

it("shows what is no longer kept as a gap in the offsets", async () => {
  const background = createBackground(createManualClock());
  const process = puppet();
  const { id } = await background.start({ command: "x", pty: { columns: 80, rows: 24 } }, process.start);
  process.print("a".repeat(mebibyte));
  process.print("tail");
  process.end({ code: 0, signal: null });
  const offsets: number[] = [];
  const sizes: number[] = [];
  for await (const event of background.attach(id)) {
    if (event.type === "end") continue;
    offsets.push(event.offset);
    sizes.push(event.data.length);
  }
  expect(offsets[0]).toBe(4);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(mebibyte);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(65_536);
});

it("stops following when it is told to", async () => {
  const background = createBackground(createManualClock());
  const process = puppet();
  const { id } = await background.start({ command: "x" }, process.start);
  const stop = new AbortController();
  const seen = read(background.attach(id, { signal: stop.signal }));
  process.print("a");
  await new Promise(setImmediate);
  stop.abort();
  expect(await seen).toEqual(["stdout 0 a"]);
});

it("does not tell of hidden processes and forgets them at their end", async () => {
  const background = createBackground(createManualClock());
  const process = puppet();
  const { id } = await background.start({ command: "x", hidden: true }, process.start);
  expect(await background.processes()).toEqual([]);
  expect((await background.logs(id))?.process.running).toBe(true);
  process.end({ code: 0, signal: null });
  await new Promise(setImmediate);
  expect(await background.logs(id)).toBeNull();
});

it("says why it cannot be typed to: no such process, ended, or without input", async () => {
  const background = createBackground(createManualClock());
  const typed: unknown[] = [];
  const silent = await background.start({ command: "x" }, puppet().start);
  const process = puppet({ write: async (data) => void typed.push(data), resize: async () => undefined });
  const { id } = await background.start({ command: "y" }, process.start);
  await background.write(id, Buffer.from("a"));
  await background.write(id, null);
  await background.resize(id, { columns: 1, rows: 2 });
  expect(typed).toEqual([Buffer.from("a"), null]);
  await expect(background.write(silent.id, null)).rejects.toMatchObject({ code: "process_input_closed" });
  await expect(background.resize(silent.id, { columns: 1, rows: 1 })).rejects.toMatchObject({
    code: "sandbox_unsupported",
  });
  await background.kill(id);
  await expect(background.write(id, null)).rejects.toMatchObject({ code: "process_not_found" });
  await expect(read(background.attach("bg_none"))).rejects.toMatchObject({ code: "process_not_found" });
});

it("holds little input of a process that does not read, whoever gave it", async () => {
  const background = createBackground(createManualClock());
  const given: { bytes: number; taken: () => void }[] = [];
  const write = (data: Uint8Array | null) =>
    new Promise<void>((taken) => void given.push({ bytes: data?.length ?? 0, taken }));
  const { id } = await background.start({ command: "x", input: true }, puppet({ write }).start);
  const first = background.write(id, Buffer.alloc(2 * mebibyte));
  await expect(background.write(id, Buffer.alloc(300_000))).rejects.toMatchObject({ code: "sandbox_busy" });
  given[0]?.taken();
  await first;
  const small = Array.from({ length: 1_000 }, () => background.write(id, Buffer.from("x")));
  const settled = Promise.allSettled(small);
  expect(given).toHaveLength(1 + 256);
  // To close it is always taken.
  const closing = background.write(id, null);
  for (const { taken } of given) taken();
  expect((await settled).filter(({ status }) => status === "rejected")).toHaveLength(1_000 - 256);
  await closing;
});
