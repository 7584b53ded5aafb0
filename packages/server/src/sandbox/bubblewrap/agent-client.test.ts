import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createManualClock, type ManualClock } from "../../../test/support/manual-clock.ts";
import {
  dataFrame,
  endFrame,
  type FakeAgent,
  readyFrame,
  startedFrame,
  startFakeAgent,
} from "../../../test/support/sandbox/fake-agent.ts";
import { messageFrame } from "./agent/frames.ts";

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

describe("an agent that is silent", () => {
  it("SBX-19 is lost when it does not begin in time, says something else, or is gone", async () => {
    const silent = await begin();
    const late = silent.connecting.catch((error: unknown) => error);
    await clock.advance(10_000);
    expect(await late).toMatchObject({ code: "sandbox_lost" });
    const other = await begin(messageFrame({ type: "pong", channel: 1 }));
    await expect(other.connecting).rejects.toMatchObject({ code: "sandbox_lost" });
    const gone = await begin();
    gone.leave();
    await expect(gone.connecting).rejects.toMatchObject({ code: "sandbox_lost" });
  });

  it("SBX-19 is lost when it does not end a command; the command is told as timed out all the same", async () => {
    const { client, hears, say } = await puppet();
    const sandbox = client.inFolder("");
    const running = sandbox.exec({ command: "x", timeoutMs: 500 });
    const channel = await hears("start");
    const background = sandbox.spawn({ command: "y" });
    await expect.poll(() => hears("start")).toBe(channel);
    say(startedFrame(channel), dataFrame(channel, "begun"), startedFrame(channel + 1));
    const { id } = await background;
    await clock.advance(500);
    await hears("close");
    await clock.advance(1_800);
    expect(await running).toMatchObject({ reason: "timeout", output: "begun" });
    expect(await client.lost).toContain("did not end");
    expect((await sandbox.logs(id))?.process.running).toBe(false);
  });

  it("is lost when processes of a command cannot be ended", async () => {
    const { client, hears, say } = await puppet();
    const running = client.inFolder("").exec({ command: "x", timeoutMs: 500 });
    const channel = await hears("start");
    say(startedFrame(channel), messageFrame({ type: "end", channel, code: 0, signal: null, left: 2 }));
    expect(await running).toMatchObject({ reason: "exit", code: 0 });
    expect(await client.lost).toContain("could not be ended");
  });

  it("is not healthy after 250 ms, nor when it is lost", async () => {
    const { client, hears, say } = await puppet();
    const sandbox = client.inFolder("");
    const late = sandbox.health();
    await hears("ping");
    await clock.advance(250);
    expect(await late).toMatchObject({ ok: false, problem: expect.stringContaining("250 ms") });
    say(Buffer.alloc(4));
    await client.lost;
    expect(await sandbox.health()).toMatchObject({ ok: false });
  });
});

describe("the host's own end", () => {
  it("tells what runs as killed when it is closed, and starts nothing more", async () => {
    const { client, hears, say } = await puppet();
    const sandbox = client.inFolder("");
    const running = sandbox.exec({ command: "x", timeoutMs: 500 });
    const channel = await hears("start");
    const asked = Promise.allSettled([sandbox.openPort(80), sandbox.listening()]);
    say(startedFrame(channel));
    client.close();
    expect(await running).toMatchObject({ reason: "killed" });
    const gone = { status: "rejected", reason: { code: "sandbox_gone" } };
    expect(await asked).toMatchObject([gone, gone]);
    await expect(sandbox.spawn({ command: "x" })).rejects.toMatchObject({ code: "sandbox_gone" });
    expect(clock.timers()).toBe(0);
  });

  it("ends what ran when that was asked for, for a reason, and nothing that began later", async () => {
    const { client, heard, hears, say } = await puppet();
    const heardOf = (type: string) => heard.filter((message) => message.type === type);
    const sandbox = client.inFolder("");
    const before = sandbox.exec({ command: "x", timeoutMs: 500 });
    const channel = await hears("start");
    const end = client.endingOfCommands();
    const later = sandbox.exec({ command: "y", timeoutMs: 500 });
    await expect.poll(() => heardOf("start")).toHaveLength(2);
    const ending = end("disk_full");
    await hears("close");
    for (const one of [channel, channel + 1]) say(startedFrame(one), endFrame(one));
    await ending;
    expect(await before).toMatchObject({ reason: "disk_full" });
    expect(await later).toMatchObject({ reason: "exit", code: 0 });
    // What has ended is not ended again.
    await end("disk_full");
    await sandbox.exec({ command: "z", timeoutMs: 500, signal: AbortSignal.abort() });
    expect(heardOf("close")).toMatchObject([{ channel }]);
  });

  it("runs no more commands at once than it may", async () => {
    const { client, heard } = await puppet();
    const sandbox = client.inFolder("");
    const running = Array.from({ length: 4 }, () => sandbox.exec({ command: "x", timeoutMs: 500 }));
    await expect(sandbox.exec({ command: "x", timeoutMs: 500 })).rejects.toMatchObject({
      code: "too_many_processes",
    });
    await expect.poll(() => heard.length).toBe(4);
    client.close();
    await Promise.allSettled(running);
  });

  it("refuses what it cannot send: commands, variables, sizes and folders", async () => {
    const sandbox = (await puppet()).client.inFolder("f");
    const timeoutMs = 1_000;
    const invalid = { code: "command_invalid" };
    await expect(sandbox.exec({ command: "a\0", timeoutMs })).rejects.toMatchObject(invalid);
    await expect(sandbox.exec({ command: "a".repeat(120_001), timeoutMs })).rejects.toMatchObject(invalid);
    for (const environment of [{ "A B": "" }, { A: "\0" }, { "": "" }, { A: "a".repeat(130_000) }]) {
      await expect(sandbox.exec({ command: "a", environment, timeoutMs })).rejects.toMatchObject(invalid);
    }
    await expect(sandbox.exec({ command: "a", cwd: "../x", timeoutMs })).rejects.toMatchObject({
      code: "path_invalid",
    });
    await expect(sandbox.exec({ command: "a", oneshot: true, timeoutMs })).rejects.toMatchObject({
      code: "sandbox_unsupported",
    });
    await expect(sandbox.spawn({ command: "a", pty: { columns: 0, rows: 1 } })).rejects.toMatchObject({
      code: "command_invalid",
    });
    await expect(sandbox.openPort(70_000)).rejects.toMatchObject({ code: "port_refused" });
  });
});
