import { describe, expect, it } from "vitest";
import { follow } from "../../test/support/follow/reader.ts";
import { beginScene as begin, principal, sessionId } from "../../test/support/follow/scene.ts";
import { keyOf, newBlock } from "../../test/support/follow/writer.ts";

describe("opening", () => {
  const refused: readonly [after: string, code: string][] = [
    ["", "validation_failed"],
    ["x", "validation_failed"],
    ["1.2.3", "validation_failed"],
    ["-1", "validation_failed"],
    ["1.3", "cursor_invalid"],
    ["2.1", "cursor_invalid"],
  ];
  it.each(refused)("refuses the cursor %j with %s", async (after, code) => {
    const scene = begin(2);
    await expect(follow(scene, { after })).rejects.toMatchObject({ code });
  });

  it("refuses types and channels that there are not, and names the one that was meant", async () => {
    const scene = begin(2);
    const types = follow(scene, { filter: { types: ["agent.mesage"] } });
    await expect(types).rejects.toMatchObject({ code: "validation_failed", message: /agent\.message/ });
    await expect(follow(scene, { filter: { channels: ["news"] } })).rejects.toMatchObject({
      code: "validation_failed",
    });
  });

  it("says that there is nothing only for an archived session without events after the cursor", async () => {
    const scene = begin(2);
    const opened = (after: string) => scene.following.open(principal, { sessionId, after, filter: {} });
    expect((await opened("1.2")).kind).toBe("stream");
    scene.row.status = "archived";
    expect((await opened("1.2")).kind).toBe("nothing");
    expect((await opened("1.1")).kind).toBe("stream");
  });

  it("says that a deleted session is not there, and nothing to who may not read", async () => {
    const scene = begin(1);
    const nobody = { ...principal, permissions: new Set<never>() };
    const opened = scene.following.open(nobody, { sessionId, after: null, filter: {} });
    await expect(opened).rejects.toMatchObject({ code: "forbidden" });
    scene.row.deleted = true;
    await expect(follow(scene)).rejects.toMatchObject({ code: "session_not_found" });
  });
});

describe("filters", () => {
  it("send what was asked for and tell the position of what was not", async () => {
    const scene = begin(0);
    scene.commit("run.started");
    scene.commit("todo.changed");
    scene.commit("agent.message", {}, "writer-1");
    const byType = await follow(scene, { filter: { types: ["run.started", "run.finished"] } });
    const byChannel = await follow(scene, { filter: { channels: ["monitor"] } });
    const byNamespace = await follow(scene, { filter: { namespaces: ["writer-1"] } });
    const both = await follow(scene, { filter: { namespaces: [""], channels: ["progress"] } });
    await scene.settle();
    await scene.clock.advance(9_999);
    expect(byType.got).toEqual(["1"]);
    await scene.clock.advance(1);
    expect(byType.got).toEqual(["1", "cursor 1.3"]);
    expect(byChannel.got).toEqual(["2", "cursor 1.3"]);
    expect(byNamespace.got).toEqual(["3"]);
    expect(both.got).toEqual(["1", "cursor 1.3"]);
    await scene.clock.advance(30_000);
    expect(byType.got).toEqual(["1", "cursor 1.3"]);
    scene.append("error");
    await scene.clock.advance(10_000);
    expect(byType.got).toEqual(["1", "cursor 1.3", "cursor 1.4"]);
  });

  it("hold for live events too", async () => {
    const scene = begin(0);
    const [writer, other] = [newBlock("a", "writer-1"), newBlock("b")];
    scene.writer.write(writer, "so far");
    const reader = await follow(scene, { filter: { namespaces: ["writer-1"] } });
    const blind = await follow(scene, { filter: { channels: ["control"] } });
    await scene.settle();
    scene.writer.write(other, "no");
    scene.writer.write(writer, ", on");
    expect(reader.texts).toEqual(new Map([[keyOf(writer), { attempt: 1, text: "so far, on" }]]));
    expect(blind.got).toEqual([]);
  });
});
