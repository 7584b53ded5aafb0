import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SseSplitter } from "./sse-splitter.ts";

function split(chunks: readonly (string | Buffer)[], maxBytes?: number): { data: string[]; whole: boolean } {
  const data: string[] = [];
  const splitter = new SseSplitter((one) => data.push(one), maxBytes);
  let whole = true;
  for (const chunk of chunks) whole &&= splitter.push(Buffer.from(chunk));
  if (whole) splitter.end();
  return { data, whole };
}

const dataOf = (...chunks: readonly (string | Buffer)[]) => split(chunks).data;

describe("server-sent events", () => {
  it("give the data of each event", () => {
    expect(dataOf("data: a\n\ndata:b\n\ndata:  c\n\n")).toEqual(["a", "b", " c"]);
  });

  it("join the lines of one event", () => {
    expect(dataOf("data: a\ndata: b\n\n")).toEqual(["a\nb"]);
  });

  it("leave out comments, names, ids and unknown fields", () => {
    expect(dataOf(": hi\nevent: x\nid: 1\nretry: 5\ndatum: no\ndata: a\n\n\n\n")).toEqual(["a"]);
  });

  it("take CRLF, a byte order mark and llama.cpp's errors", () => {
    expect(dataOf("\uFEFFdata: a\r\n\r\nerror: b\r\n\r\n")).toEqual(["a", "b"]);
  });

  it("hand out the last event when its empty line is missing", () => {
    expect(dataOf("data: a\n\ndata: b\n")).toEqual(["a", "b"]);
    expect(dataOf("data: a\n\ndata: b")).toEqual(["a", "b"]);
  });

  it("refuse a line that is too long, in one chunk or many", () => {
    expect(split(["data: 0123456789"], 8).whole).toBe(false);
    expect(split(["data", ": 01", "2345"], 8).whole).toBe(false);
    expect(split(["data: 0\n", "\ndata: 1\n\n"], 8)).toEqual({ data: ["0", "1"], whole: true });
  });

  it("are the same however the network cuts them", () => {
    const line = fc
      .string({ unit: "grapheme", maxLength: 12 })
      .map((text) => text.replaceAll(/[\r\n]/g, " "));
    const events = fc.array(fc.array(line, { minLength: 1, maxLength: 3 }), { maxLength: 8 });
    fc.assert(
      fc.property(events, fc.array(fc.nat(200), { maxLength: 20 }), fc.boolean(), (wanted, cuts, crlf) => {
        const newline = crlf ? "\r\n" : "\n";
        const text = wanted
          .map((lines) => lines.map((one) => `data: ${one}${newline}`).join("") + newline)
          .join("");
        const bytes = Buffer.from(text);
        const at = [...new Set(cuts.map((cut) => Math.min(cut, bytes.length)))].toSorted((a, b) => a - b);
        const chunks = [0, ...at].map((from, index) => bytes.subarray(from, at[index] ?? bytes.length));
        expect(dataOf(...chunks)).toEqual(wanted.map((lines) => lines.join("\n")));
      }),
    );
  });
});
