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
  return { clock, told, live: new LiveText({ bus, orgId: "org_1", sessionId: "ses_1", clock }) };
}

describe("live text", () => {
  it("tells the first text at once, and what comes soon after it as one", async () => {
    const { clock, told, live } = await scene();
    live.append(place, "a");
    expect(told).toEqual(["0@0 a"]);
    for (const text of ["b", "c", "d"]) live.append(place, text);
    expect(told).toHaveLength(1);
    await clock.advance(10);
    expect(told).toEqual(["0@0 a", "0@1 bcd"]);
    live.append(place, "e");
    await clock.advance(10);
    expect(told.at(-1)).toBe("0@4 e");
    await clock.advance(10);
    live.append(place, "f");
    expect(told.at(-1)).toBe("0@5 f");
  });

  it("tells blocks in their order, and that a tool call has begun", async () => {
    const { clock, told, live } = await scene();
    live.append(place, "a");
    live.append(place, "b");
    const tool = { toolUseId: "tu_1", name: "fs_read" };
    live.append({ ...place, type: "agent.tool_use.delta", blockId: 1, tool }, "");
    await clock.advance(10);
    expect(told).toEqual(["0@0 a", "0@1 b", "1@0 "]);
  });

  it("tells what waits before a status, and before who asks gets the whole text", async () => {
    const { told, live } = await scene();
    live.append(place, "a");
    live.append(place, "b");
    live.tell({ type: "session.status", namespace: "", data: { status: "running" } });
    live.append(place, "c");
    const [open] = live.openBlocks();
    expect(told).toEqual(["0@0 a", "0@1 b", "session.status", "0@2 c"]);
    expect(open?.delta).toMatchObject({ offset: 0, length: 3 });
  });

  it("a new attempt starts its text anew", async () => {
    const { clock, told, live } = await scene();
    live.append(place, "a");
    live.append(place, "lost");
    live.append({ ...place, attempt: 2 }, "again");
    await clock.advance(10);
    expect(told).toEqual(["0@0 a", "0@0 again"]);
  });

  it("keeps no timer once the text is in the log or the session has ended", async () => {
    const { clock, told, live } = await scene();
    live.append(place, "a");
    live.append(place, "b");
    live.close(place.messageId);
    expect(clock.timers()).toBe(0);
    live.append({ ...place, messageId: "msg_2" }, "c");
    live.append({ ...place, messageId: "msg_2" }, "d");
    live.stop();
    expect(clock.timers()).toBe(0);
    expect(told).toEqual(["0@0 a", "0@0 c"]);
  });
});
