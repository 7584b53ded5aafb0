import { once } from "node:events";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createManualClock, type ManualClock } from "../../../test/support/manual-clock.ts";
import {
  dataFrame,
  endFrame,
  type FakeAgent,
  rawFrame,
  readyFrame,
  startedFrame,
  startFakeAgent,
} from "../../../test/support/sandbox/fake-agent.ts";
import { creditFrame, eofFrame, frameKinds, messageFrame } from "./agent/frames.ts";

let clock: ManualClock;
const agents: FakeAgent[] = [];

async function begin(first?: Uint8Array): Promise<FakeAgent> {
  const agent = await startFakeAgent(clock, first);
  agents.push(agent);
  return agent;
}

async function puppet() {
  const agent = await begin(readyFrame);
  return { ...agent, client: await agent.connecting };
}

beforeEach(() => {
  clock = createManualClock();
});
afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.close()));
});

/** What no honest agent sends about a command that it was asked to start as channel `id`. */
const forgeries: Readonly<Record<string, (id: number) => Uint8Array>> = {
  "a frame of 100 MB": () => rawFrame(frameKinds.data, Buffer.alloc(10), 100_000_000),
  "a frame of nothing": () => Buffer.alloc(4),
  "a frame of no known kind": (id) =>
    Buffer.concat([startedFrame(id), rawFrame(9, eofFrame(id).subarray(5))]),
  "a frame too short for its channel": () => rawFrame(frameKinds.data, Buffer.alloc(3)),
  "no JSON": () => rawFrame(frameKinds.message, Buffer.from("{")),
  "an array": () => rawFrame(frameKinds.message, Buffer.from("[]")),
  "an unknown message": (id) => messageFrame({ type: "exec", channel: id }),
  "a message with more in it": (id) => messageFrame({ type: "started", channel: id, more: 1 }),
  "a forged prototype": (id) =>
    rawFrame(frameKinds.message, Buffer.from(`{"type":"started","channel":${id},"__proto__":{"a":1}}`)),
  "a second greeting": () => readyFrame,
  "a channel that nobody opened": (id) => startedFrame(id + 1),
  "a channel that is no number": () => messageFrame({ type: "started", channel: "1" }),
  "channel 0": () => dataFrame(0, "x"),
  "the start twice": (id) => Buffer.concat([startedFrame(id), startedFrame(id)]),
  "output before the start": (id) => dataFrame(id, "x"),
  "the end before the start": (id) => endFrame(id),
  "a refusal after the start": (id) =>
    Buffer.concat([startedFrame(id), messageFrame({ type: "failed", channel: id, code: "file_not_found" })]),
  "a refusal with a code of its own": (id) =>
    messageFrame({ type: "failed", channel: id, code: "unauthenticated" }),
  "output of nothing": (id) => Buffer.concat([startedFrame(id), dataFrame(id, "")]),
  "a chunk over 64 KiB": (id) => Buffer.concat([startedFrame(id), dataFrame(id, Buffer.alloc(65_537))]),
  "an end of data of a command": (id) => Buffer.concat([startedFrame(id), eofFrame(id)]),
  "a credit that nobody owes": (id) => Buffer.concat([startedFrame(id), creditFrame(id, 1)]),
  "a credit of nothing": (id) => Buffer.concat([startedFrame(id), creditFrame(id, 0)]),
  "a credit with more in it": (id) =>
    Buffer.concat([
      startedFrame(id),
      rawFrame(frameKinds.credit, Buffer.concat([creditFrame(id, 5), Buffer.alloc(1)]).subarray(5)),
    ]),
  "an exit code that none has": (id) => Buffer.concat([startedFrame(id), endFrame(id, 256)]),
  "a signal that is none": (id) =>
    Buffer.concat([
      startedFrame(id),
      messageFrame({ type: "end", channel: id, code: null, signal: "<b>", left: 0 }),
    ]),
  "an answer that nobody asked for": (id) => messageFrame({ type: "pong", channel: id }),
};

describe("an agent that lies", () => {
  it.each(Object.entries(forgeries))("SBX-19 is ended for %s", async (_, forge) => {
    const { client, say, hears } = await puppet();
    const neighbour = await puppet();
    const running = client.inFolder("").exec({ command: "x", timeoutMs: 60_000 });
    let neighbourEnded = false;
    const other = neighbour.client.inFolder("").exec({ command: "y", timeoutMs: 60_000 });
    void other.then(() => (neighbourEnded = true));
    const channel = await hears("start");
    // The neighbour's command has the same number in its own sandbox.
    expect(await neighbour.hears("start")).toBe(channel);

    say(forge(channel));
    expect(await client.lost).toEqual(expect.any(String));
    expect(await running).toMatchObject({ reason: "lost", code: null });
    const again = client.inFolder("").exec({ command: "x", timeoutMs: 1_000 });
    await expect(again).rejects.toMatchObject({ code: "sandbox_lost", retryable: true });

    expect(neighbourEnded).toBe(false);
    neighbour.say(startedFrame(channel), dataFrame(channel, "own"), endFrame(channel));
    expect(await other).toMatchObject({ reason: "exit", code: 0, output: "own" });
  });

  it("SBX-19 cannot end, feed or answer for another command", async () => {
    const { client, say, heard, hears } = await puppet();
    const sandbox = client.inFolder("");
    const first = sandbox.exec({ command: "1", timeoutMs: 60_000 });
    const second = sandbox.exec({ command: "2", timeoutMs: 60_000 });
    await hears("start");
    await expect.poll(() => heard.length).toBe(2);
    const [a = 0, b = 0] = heard.map((message) => message.channel);
    say(startedFrame(b), startedFrame(a), dataFrame(b, "B"), dataFrame(a, "A"), endFrame(a, 1));
    expect(await first).toMatchObject({ output: "A", code: 1 });
    // Its number is not used again: a second end of it is nobody's.
    say(endFrame(a, 0));
    expect(await second).toMatchObject({ reason: "lost", output: "B" });
  });

  it("SBX-19 may send no more than the window before it is told to go on", async () => {
    const { client, say, hears } = await puppet();
    const opening = client.inFolder("").openPort(80);
    const channel = await hears("connect");
    say(startedFrame(channel));
    // Nobody reads, so nothing is credited but what fits the stream's own buffer.
    const port = await opening;
    const failed = once(port, "error");
    const chunk = dataFrame(channel, Buffer.alloc(60_000));
    say(...Array.from({ length: 20 }, () => chunk));
    expect(await client.lost).toContain("data that it may not send");
    expect((await failed)[0]).toMatchObject({ code: "port_closed" });
  });

  it("SBX-19 cannot keep the host busy with tiny chunks: each is charged as a large one", async () => {
    const { client, say, hears } = await puppet();
    const running = client.inFolder("").exec({ command: "x", timeoutMs: 60_000 });
    const channel = await hears("start");
    const tiny = dataFrame(channel, "x");
    // The burst that a sandbox may send at once is 1 MiB, or as many frames as would be charged so much.
    say(startedFrame(channel), ...Array.from({ length: 20_000 }, () => tiny));
    expect(await client.lost).toContain("data that it may not send");
    expect((await running).outputBytes).toBeLessThan(1_500);
  });

  it("SBX-19 never makes the host throw or answer, whatever bytes come", async () => {
    const message = fc.record({
      type: fc.constantFrom("started", "failed", "end", "pong", "ports", "ready"),
      channel: fc.integer({ min: 0, max: 3 }),
      code: fc.oneof(fc.integer({ min: -1, max: 300 }), fc.constant(null), fc.constant("port_refused")),
      signal: fc.constantFrom(null, "SIGKILL", "x"),
      left: fc.constantFrom(0, 1),
    });
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      message.map((value) => messageFrame(value)),
      fc.tuple(fc.nat(3), fc.uint8Array({ maxLength: 9 })).map(([id, content]) => dataFrame(id, content)),
      fc.tuple(fc.nat(3), fc.nat(9)).map(([id, credit]) => creditFrame(id, credit)),
      fc.nat(3).map(eofFrame),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { maxLength: 12 }), async (parts) => {
        const { client, say, hears } = await puppet();
        const running = client.inFolder("").exec({ command: "x", timeoutMs: 60_000 });
        const channel = await hears("start");
        say(...parts);
        // Ended in order at last, if it still can be.
        say(startedFrame(channel), endFrame(channel, 7));
        await clock.advance(60_000);
        const reason = await running.then(
          (result) => result.reason,
          (error: { code: string }) => error.code,
        );
        expect(["exit", "lost", "killed", "timeout", "port_refused"]).toContain(reason);
        client.close();
      }),
      { numRuns: 60 },
    );
  });
});
