import { describe, expect, it } from "vitest";
import { hashOf, idOf } from "../../test/support/session/ids.ts";
import { story } from "../../test/support/session/story.ts";
import { blobsOf } from "./project.ts";

const toolUseId = idOf("toolUse", 1);
const runId = idOf("run", 1);

describe("the blobs that a log keeps alive", () => {
  const blob = (number: number) => ({ hash: hashOf(number), size: 1 });
  const image = (number: number) => ({ type: "image", mediaType: "image/png", blob: blob(number) }) as const;

  it("are those that its events name", () => {
    const told = story()
      .message("plain")
      .add({ type: "system.message", data: { content: [{ type: "text", text: "x" }, image(1)] } })
      .add({ type: "user.message", data: { content: [image(2), image(2)], runId } })
      .add({
        type: "agent.tool_result",
        data: { toolUseId, name: "t", ok: true, content: [image(3)], output: blob(4) },
      })
      .add({ type: "file.changed", data: { path: "/a", change: "written", blob: blob(5) } })
      .add({ type: "file.changed", data: { path: "/a", change: "deleted" } })
      .ends("end_turn", hashOf(6))
      .add({
        type: "user.message",
        data: { content: [{ type: "file", mediaType: "a/b", data: "YQ==" }], runId },
      });
    expect(blobsOf(told.events)).toEqual([1, 2, 4, 3, 5, 6].map(hashOf));
    expect(blobsOf(story().turn("x").events)).toEqual([]);
  });

  it("and the workspace that a fork began with", () => {
    const data = { fromSessionId: idOf("session", 1), fromSeq: 1, owner: "u", title: null };
    const forked = (manifest: string | null) =>
      story().add({ type: "session.forked", data: { ...data, manifest } }).events;
    expect(blobsOf(forked(hashOf(7)))).toEqual([hashOf(7)]);
    expect(blobsOf(forked(null))).toEqual([]);
  });
});
