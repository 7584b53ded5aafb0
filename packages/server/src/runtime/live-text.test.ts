import { describe, expect, it } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { createInProcessBus } from "../coordination/in-process/bus.ts";
import { type LiveFrame, sessionTopic } from "../coordination/session-frames.ts";
import { type BlockPlace, LiveText } from "./live-text.ts";

const place: BlockPlace = {
  type: "agent.message.delta",
  namespace: "",
  runId: "run_1",
  stepId: "stp_1",
  messageId: "msg_1",
  blockId: 0,
  attempt: 1,
};

async function scene() {
  const clock = createManualClock();
  const bus = createInProcessBus({ clock });
  const told: string[] = [];
  await bus.subscribe(sessionTopic("org_1", "ses_1"), (frame) => {
    const { type, data } = JSON.parse((frame as LiveFrame).json) as {
      type: string;
      data: { blockId?: number; offset?: number; text?: string };
    };
    told.push(data.text === undefined ? type : `${data.blockId}@${data.offset} ${data.text}`);
  });
  const live = new LiveText({ bus, orgId: "org_1", sessionId: "ses_1", clock });
  const write = (text: string, where: Partial<BlockPlace> = {}) => {
    live.append({ ...place, ...where }, text);
    live.show();
  };
  return { clock, told, live, write };
}

describe("live text", () => {
  it("tells the first text at once, and what comes soon after it as one", async () => {
    const { clock, told, write } = await scene();
    write("a");
    expect(told).toEqual(["0@0 a"]);
    for (const text of ["b", "c", "d"]) write(text);
    expect(told).toHaveLength(1);
    await clock.advance(16);
    expect(told).toEqual(["0@0 a", "0@1 bcd"]);
    write("e");
    await clock.advance(16);
    expect(told.at(-1)).toBe("0@4 e");
    await clock.advance(16);
    write("f");
    expect(told.at(-1)).toBe("0@5 f");
  });

  it("tells what came at once as one from the first text on", async () => {
    const { told, live } = await scene();
    for (const text of ["a", "b", "c"]) live.append(place, text);
    live.show();
    expect(told).toEqual(["0@0 abc"]);
  });

  it("tells blocks in their order, and that a tool call has begun", async () => {
    const { clock, told, write } = await scene();
    write("a");
    write("b");
    const tool = { toolUseId: "tu_1", name: "fs_read" };
    write("", { type: "agent.tool_use.delta", blockId: 1, tool });
    await clock.advance(16);
    expect(told).toEqual(["0@0 a", "0@1 b", "1@0 "]);
  });

  it("tells what waits before a status, and before who asks gets the whole text", async () => {
    const { told, live, write } = await scene();
    write("a");
    write("b");
    live.tell({ type: "session.status", namespace: "", data: { status: "running" } });
    write("c");
    const [open] = live.openBlocks();
    expect(told).toEqual(["0@0 a", "0@1 b", "session.status", "0@2 c"]);
    expect(open?.delta).toMatchObject({ offset: 0, length: 3 });
  });

  it("a new attempt starts its text anew", async () => {
    const { clock, told, write } = await scene();
    write("a");
    write("lost");
    write("again", { attempt: 2 });
    await clock.advance(16);
    expect(told).toEqual(["0@0 a", "0@0 again"]);
  });

  it("neither tells nor keeps what an earlier attempt left open in other blocks", async () => {
    const { clock, told, live, write } = await scene();
    write("a");
    write("lost", { blockId: 1 });
    write("other", { messageId: "msg_2" });
    write("again", { attempt: 2 });
    await clock.advance(16);
    expect(told).toEqual(["0@0 a", "0@0 other", "0@0 again"]);
    expect(live.partials().map(({ text }) => text)).toEqual(["other", "again"]);
  });

  it("keeps no timer once the text is in the log or the session has ended", async () => {
    const { clock, told, live, write } = await scene();
    write("a");
    write("b");
    live.close(place.messageId);
    expect(clock.timers()).toBe(0);
    write("c", { messageId: "msg_2" });
    write("d", { messageId: "msg_2" });
    live.stop();
    expect(clock.timers()).toBe(0);
    expect(told).toEqual(["0@0 a", "0@0 c"]);
  });
});
