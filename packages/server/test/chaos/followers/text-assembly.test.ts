import type { StreamEvent } from "@berth/contract";
import { beforeEach, describe, expect, it } from "vitest";
import { TextAssembly } from "./text-assembly.ts";

const place = { messageId: "msg_1", blockId: 0 };
const delta = (text: string, offset: number, attempt = 1) =>
  ({ type: "agent.message.delta", data: { ...place, attempt, offset, text } }) as unknown as StreamEvent;
const finished = (text: string) =>
  ({ type: "agent.message", data: { ...place, text } }) as unknown as StreamEvent;

describe("a text put together from deltas", () => {
  let wrong: string[] = [];
  let texts = new TextAssembly(() => undefined);
  beforeEach(() => {
    wrong = [];
    texts = new TextAssembly((story) => wrong.push(story));
  });
  const take = (...events: readonly StreamEvent[]) => {
    for (const event of events) texts.take(event);
  };

  it("is right when it is the finished one, or its beginning", () => {
    take(delta("ab", 0), delta("cd", 2), finished("abcd"));
    expect(texts.tally).toMatchObject({ whole: 1, beginnings: 0 });
    const other = new TextAssembly((story) => wrong.push(story));
    for (const event of [delta("ab", 0), finished("abcd")]) other.take(event);
    expect(other.tally).toMatchObject({ whole: 0, beginnings: 1 });
    expect(wrong).toEqual([]);
  });

  it("takes what it is told again, and drops what an older attempt said", () => {
    take(
      delta("old", 0),
      delta("abc", 0, 2),
      delta("more of the old", 3),
      delta("abcde", 0, 2),
      finished("abcde"),
    );
    expect(wrong).toEqual([]);
    expect(texts.tally.whole).toBe(1);
  });

  it("is wrong with a hole, another letter, an attempt from its middle, or another end", () => {
    take(delta("ab", 0), delta("ef", 4));
    take(delta("ab", 0), delta("xy", 1));
    take(delta("cd", 2, 2));
    take(finished("zz"));
    expect(wrong).toHaveLength(4);
  });

  it("may be another one when the connection broke meanwhile: its server died, and the next began anew", () => {
    take(delta("ab", 0));
    texts.reconnected();
    take(finished("zz"));
    expect(wrong).toEqual([]);
    expect(texts.tally.replaced).toBe(1);
  });
});
