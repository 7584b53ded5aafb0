import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FakeHost, frame } from "../../../test/support/sandbox/fake-host.ts";
import { createHostileRig, type HostileRig } from "../../../test/support/sandbox/hostile-rig.ts";
import type { SandboxProvider } from "../sandbox.ts";

let rig: HostileRig;
let provider: SandboxProvider;
let fake: FakeHost;
beforeEach(async () => {
  rig = await createHostileRig();
  ({ provider, fake } = rig);
});
afterEach(() => rig.close());

describe("SBX-22 a host that cuts streams", () => {
  const ended = (output: string) =>
    frame.json("end", {
      code: 0,
      signal: null,
      reason: "exit",
      output,
      outputBytes: output.length,
      truncated: false,
      durationMs: 1,
    });
  const runs = async (onOutput?: (chunk: string) => void) => {
    const sandbox = await provider.connect(rig.newRef());
    return sandbox.exec({ command: "x", timeoutMs: 5_000, ...(onOutput && { onOutput }) });
  };

  it("SBX-22 goes on where it was, loses nothing and repeats nothing", async () => {
    const text = "one two three €uro five";
    const bytes = Buffer.from(text);
    // Cut after each byte: in the middle of a frame, of a character, and between frames.
    fake.answer("sandbox/exec", (_, response) => {
      response.write(
        Buffer.concat([frame.alive, frame.output(0, "one "), frame.output(4, "two").subarray(0, 15)]),
        () => response.destroy(),
      );
    });
    const offsets: unknown[] = [];
    fake.answer("sandbox/resume", ({ args }, response) => {
      const from = Number(args["from"]);
      offsets.push(from);
      const rest = bytes.subarray(from, from + 3);
      const output = Buffer.concat([frame.output(from, ""), rest]);
      output.writeUInt32BE(10 + rest.length, 0);
      if (from + 3 < bytes.length) response.write(output, () => response.destroy());
      else response.end(Buffer.concat([output, ended(text)]));
    });
    const chunks: string[] = [];
    const running = runs((chunk) => chunks.push(chunk));
    expect(await rig.until(running)).toMatchObject({ reason: "exit", output: text });
    expect(chunks.join("")).toBe(text);
    expect(offsets).toEqual([4, 7, 10, 13, 16, 19, 22]);
    expect(fake.count("sandbox/exec")).toBe(1);
  });

  it("SBX-22 asks again under the same name when it does not know whether a command began", async () => {
    let attempts = 0;
    fake.answer("sandbox/exec", (_, response) => {
      if (++attempts === 1) response.destroy();
      else response.end(Buffer.concat([frame.alive, ended("ok")]));
    });
    const running = runs();
    expect(await rig.until(running)).toMatchObject({ reason: "exit", output: "ok" });
    const names = fake.seen.filter(({ name }) => name === "sandbox/exec").map(({ args }) => args["execId"]);
    expect(names).toHaveLength(2);
    expect(new Set(names).size).toBe(1);
    // And never with the same token: that one may have been used.
    expect(
      new Set(fake.seen.filter(({ name }) => name === "sandbox/exec").map(({ token }) => token)).size,
    ).toBe(2);
  });

  it.each([
    ["output that goes back", Buffer.concat([frame.output(0, "abc"), frame.output(1, "bc")])],
    ["a frame of 4 GiB", Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0])],
    ["a frame of nothing", Buffer.from([0, 0, 0, 0, 1])],
    ["a frame of no kind", Buffer.from([0, 0, 0, 1, 99])],
    ["an end that is none", frame.json("end", { code: 0 })],
    ["an error that is none", frame.json("error", { code: "sandbox_lost" })],
  ])("SBX-22 gives a command up as lost after %s", async (_, bytes) => {
    fake.answer("sandbox/exec", (_call, response) => {
      response.write(Buffer.concat([frame.alive, bytes]));
    });
    expect(await runs(() => undefined)).toMatchObject({ reason: "lost", code: null });
  });

  it("SBX-22 does not follow for ever a command whose end never comes", async () => {
    fake.answer("sandbox/exec", (_, response) => {
      response.write(frame.alive);
      const alive = setInterval(() => response.write(frame.alive), 5);
      response.on("close", () => clearInterval(alive));
    });
    const running = runs();
    await rig.calls("sandbox/exec", 1);
    await rig.arrive();
    for (let i = 0; i < 8; i++) {
      await rig.clock.advance(5_000);
      await rig.arrive();
    }
    expect(await running).toMatchObject({ reason: "lost" });
  });
});
