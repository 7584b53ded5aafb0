import { describe, expect, it } from "vitest";
import { createWordWrap } from "./word-wrap.ts";

/** What a terminal shows: taking back is moving left and erasing to the end of the line. */
function shown(...pieces: string[]): string {
  const wrap = createWordWrap(11);
  const lines = [""];
  for (const part of pieces
    .map((piece) => wrap.add(piece))
    .join("")
    .split(/(\u001b\[\d*[DK]|\n)/)) {
    const back = /^\u001b\[(\d+)D$/.exec(part);
    const line = lines.pop() ?? "";
    if (part === "\n") lines.push(line, "");
    else if (back !== null) lines.push(line.slice(0, -Number(back[1])));
    else lines.push(part === "\u001b[K" ? line : line + part);
  }
  return lines.map((line) => line.trimEnd()).join("\n");
}

describe("words on a terminal", () => {
  it.each([
    [["one two three"], "one two\nthree"],
    [["one two th", "ree"], "one two\nthree"],
    [["one two\n  in seven"], "one two\n  in seven"],
    [["one two\n  then seven"], "one two\n  then\nseven"],
    [["abcdefghijklmnop qr"], "abcdefghij\nklmnop qr"],
    [["0123456789 x"], "0123456789\nx"],
  ])("%j", (pieces, lines) => expect(shown(...pieces)).toBe(lines));
});
