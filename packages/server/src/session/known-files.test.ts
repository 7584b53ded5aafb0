import { describe, expect, it } from "vitest";
import { hashOf, idOf } from "../../test/support/session/ids.ts";
import { call, story, type Story } from "../../test/support/session/story.ts";
import { filesBackAt, filesOfFork } from "./known-files.ts";

const upload = {
  type: "file.changed",
  inputId: idOf("input", 1),
  data: { path: "up", change: "written", blob: { hash: hashOf(5), size: 5 } },
} as const;

const kept = () => story().message("one").think().answer("a").ends("end_turn", hashOf(1));
const calling = (told: Story, change: Parameters<typeof call>[1]) =>
  told.message("two").think().answer(call(1, change));

describe("the files of a fork and after a rewind", () => {
  it.each([
    ["nothing happened to them", () => story()],
    ["an input changed them", () => kept().add(upload)],
    ["a tool that changes none is at work", () => calling(kept(), { effect: "pure" }).starts(1)],
    ["a client's tool is at work", () => calling(kept(), { effect: "once", kind: "client" }).requests(1)],
    [
      "a manifest was kept after a tool changed them",
      () => calling(kept(), { effect: "once" }).starts(1).returns(1).ends("interrupted", hashOf(2)),
    ],
  ])("are exactly those of that time when %s", (_, tell) => {
    const { state } = tell();
    expect(filesOfFork(state)).toBe("exact");
    expect(filesBackAt(state)).toBe("exact");
  });

  it.each([
    ["changed them since", (told: Story) => calling(told, { effect: "once" }).starts(1).returns(1)],
    ["is at work", (told: Story) => calling(told, { effect: "idempotent" }).starts(1)],
    ["may begin at any time", (told: Story) => calling(told, { effect: "once" })],
  ])("are earlier ones when a tool %s; without a manifest a rewind leaves them", (_, goOn) => {
    const { state } = goOn(kept());
    expect(filesOfFork(state)).toBe("earlier");
    expect(filesBackAt(state)).toBe("earlier");
    const without = goOn(story()).state;
    expect(filesOfFork(without)).toBe("earlier");
    expect(filesBackAt(without)).toBe("left");
  });
});
