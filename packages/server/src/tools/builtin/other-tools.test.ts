import type { Todo } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { BerthError } from "../../lib/errors.ts";
import type { FetchedPage, ToolContext } from "../tool.ts";
import { cutMiddle } from "./capped-output.ts";
import { delegateTool } from "./delegate.ts";
import { htmlToMarkdown } from "./html-to-markdown.ts";
import { plainText, withoutInvisible } from "./plain-text.ts";
import { todoRead } from "./todo-read.ts";
import { todoWrite } from "./todo-write.ts";
import { webFetch } from "./web-fetch.ts";

const signal = new AbortController().signal;
function contextWith(more: Partial<ToolContext>): ToolContext {
  return {
    orgId: "org_a",
    sessionId: "ses_a",
    runId: "run_a",
    toolUseId: "tlu_a",
    signal,
    now: () => 0,
    sandbox: () => Promise.reject(new Error("no sandbox here")),
    files: () => Promise.reject(new Error("no files here")),
    todos: () => [],
    putBlob: async (data, mediaType) => ({
      hash: "0".repeat(64),
      size: data.length,
      ...(mediaType !== undefined && { mediaType }),
    }),
    fetch: () => Promise.reject(new Error("no fetch here")),
    openPort: () => Promise.reject(new Error("no previews here")),
    progress: () => undefined,
    ...more,
  };
}

describe("todos", () => {
  const todo = (id: string, status: Todo["status"]): Todo => ({ id, content: `do ${id}`, status });

  it("are shown and replaced as a whole", async () => {
    const todos = [
      todo("a", "completed"),
      todo("b", "in_progress"),
      todo("c", "pending"),
      todo("d", "cancelled"),
    ];
    expect(await todoRead.run({}, contextWith({ todos: () => todos }))).toEqual({
      ok: true,
      content: "[x] a: do a\n[>] b: do b\n[ ] c: do c\n[-] d: do d",
    });
    expect(await todoRead.run({}, contextWith({}))).toEqual({ ok: true, content: "The list is empty." });
    expect(await todoWrite.run({ todos }, contextWith({}))).toMatchObject({
      ok: true,
      events: [{ type: "todo.changed", data: { todos, toolUseId: "tlu_a" } }],
    });
  });

  it("have ids of their own and at most one in progress", async () => {
    const refused = async (todos: Todo[]) => await todoWrite.run({ todos }, contextWith({}));
    expect(await refused([todo("a", "pending"), todo("a", "completed")])).toMatchObject({
      errorType: "validation",
    });
    expect(await refused([todo("a", "in_progress"), todo("b", "in_progress")])).toMatchObject({
      ok: false,
      message: "Only one todo can be in_progress, and these are: a, b.",
    });
  });
});

it("delegate never runs as a tool", async () => {
  expect(await delegateTool.run({ agent: "a", task: "t" }, contextWith({}))).toMatchObject({
    ok: false,
    errorType: "runtime",
  });
});

describe("web_fetch", () => {
  const page = (body: string | Uint8Array, more: Partial<FetchedPage> = {}): FetchedPage => ({
    url: "https://example.com/",
    status: 200,
    contentType: "text/html; charset=utf-8",
    body: typeof body === "string" ? new TextEncoder().encode(body) : body,
    truncated: false,
    ...more,
  });
  const run = async (fetched: FetchedPage, input: object = {}) =>
    await webFetch.run(
      { url: "https://example.com/", ...input },
      contextWith({ fetch: async () => fetched }),
    );

  it("gives HTML as Markdown, or as it is", async () => {
    const html =
      "<html><head><style>p {}</style></head><body><h1>Title</h1><p>A <b>bold</b> <a href='/x'>link</a>.</p><script>x<1</script></body></html>";
    expect(await run(page(html))).toEqual({ ok: true, content: "# Title\n\nA **bold** [link](/x)." });
    expect(await run(page(html), { raw: true })).toEqual({ ok: true, content: html });
  });

  it("gives text, JSON and images, in the page's charset, and refuses the rest", async () => {
    expect(await run(page('{"a": 1}', { contentType: "application/json" }))).toMatchObject({
      content: '{"a": 1}',
    });
    expect(
      await run(page(new Uint8Array([0xe4]), { contentType: "text/plain; charset=iso-8859-1" })),
    ).toMatchObject({ content: "ä" });
    expect(await run(page("x", { contentType: "text/plain; charset=nonsense" }))).toMatchObject({
      content: "x",
    });
    const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    expect(await run(page(png, { contentType: "image/png" }))).toMatchObject({
      content: [{ type: "image", mediaType: "image/png" }],
    });
    expect(await run(page("%PDF", { contentType: "application/pdf" }))).toMatchObject({ ok: false });
  });

  it("tells redirects, cuts, bad statuses and refusals", async () => {
    const text = { contentType: "text/plain" };
    expect(
      await run(page("x", { ...text, url: "https://example.com/other", truncated: true })),
    ).toMatchObject({
      content: "[from https://example.com/other]\nx\n[the page was cut at 5242880 bytes]",
    });
    expect(await run(page("gone", { ...text, status: 404 }))).toMatchObject({
      ok: false,
      message: "The server answered with the status 404.",
      content: "gone",
      retryable: false,
    });
    const refusing = contextWith({
      fetch: () => Promise.reject(new BerthError("address_refused", "Not public.")),
    });
    expect(await webFetch.run({ url: "http://x/" }, refusing)).toEqual({
      ok: false,
      errorType: "runtime",
      message: "Not public.",
    });
  });

  it("does not hide what is a bug", async () => {
    await expect(webFetch.run({ url: "http://x/" }, contextWith({}))).rejects.toThrow("no fetch here");
  });
});

describe("pages that are hard to convert", () => {
  it("become plain text while the server goes on", async () => {
    let turns = 0;
    const counter = setInterval(() => turns++, 5);
    try {
      expect(await htmlToMarkdown(`${"<div>".repeat(20_000)}deep &amp; <i>down</i>`, signal)).toBe(
        "deep & down",
      );
    } finally {
      clearInterval(counter);
    }
    expect(turns).toBeGreaterThan(20);
    const wide = `<p>one</p><script>${"<p>no</p>".repeat(10)}</script>`.repeat(40_000);
    expect((await htmlToMarkdown(wide, signal)).split("\n")).toHaveLength(40_000);
  });

  it("are stripped in time whatever they hold", () => {
    const began = process.cpuUsage();
    for (const part of ["<", "<!--", "<script", "<a ", "&", " ", "</", "<p>", "İ<STYLE>x</STYLE>"]) {
      plainText(withoutInvisible(part.repeat(200_000)));
    }
    expect(process.cpuUsage(began).user / 1_000).toBeLessThan(3_000);
  });

  it("lose what nobody sees and keep the rest", () => {
    expect(withoutInvisible("a<!-- x --><SCRIPT src=y>z</SCRIPT>b<scripted>c<style>d")).toBe("ab<scripted>c");
    expect(plainText("<p>a&#65;&#x42;&lt;&nbsp;&bogus; <b>c</b></p><p>d < e")).toBe("aAB< &bogus; c\nd < e");
  });
});

it("cuts a text in the middle without halving a character", () => {
  expect(cutMiddle("short", 10)).toBe("short");
  expect(cutMiddle("ab😀😀😀yz", 6)).toBe("ab\n[... 6 characters were cut here ...]\nyz");
});
