import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@berth/client";
import { formatCursor } from "@berth/contract";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ServerProcess, startServer } from "../../server/test/support/server/server-process.ts";
import { type PageServer, startPageServer } from "./support/browser/page-server.ts";
import type { Transport } from "./support/browser/page-program.ts";

const root = join(import.meta.dirname, "../../..");
const apiKey = "brt_the-admin-key-of-this-test";
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];
const story = "Wörter mit Ümlauten, 中文 and 🚢⚓️ come in small pieces, one after the other. ".repeat(4);
const cuts = [3, 1, "refuse", 2, 1, "refuse", "refuse", 4, 1] as const;

const ends: (() => Promise<unknown>)[] = [];
let server: ServerProcess;
let browser: BrowserContext;
let served: PageServer;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "berth-browser-"));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  const env = {
    PATH: process.env["PATH"] ?? "",
    BERTH_PROVIDERS: JSON.stringify([{ name: "scripted", kind: "scripted" }]),
    BERTH_ADMIN_KEY: apiKey,
    BERTH_OLLAMA_DISCOVERY: "false",
  };
  const dataDir = join(folder, "data");
  server = await startServer({ root, dataDir, env, logFile: join(folder, "log") }).ready;
  ends.push(() => server.end("SIGTERM"));
  const model = "scripted/script";
  await createClient({ baseUrl: server.url, apiKey }).agents.create({ name: "teller", model });
  // What Chromium writes outside its profile goes with the folder as well.
  const temporary = join(folder, "tmp");
  await mkdir(temporary);
  browser = await chromium.launchPersistentContext(join(folder, "profile"), {
    executablePath: "/usr/bin/chromium",
    headless: true,
    args: flags,
    env: { ...process.env, TMPDIR: temporary, HOME: temporary },
  });
  ends.push(() => browser.close());
});

afterAll(async () => {
  for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end();
});

beforeEach(async () => {
  served = await startPageServer(server.url);
  page = await browser.newPage();
  complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    const { url } = message.location();
    // Chromium itself reports each connection that the test cuts.
    const said = `${message.type()}: ${message.text()} at ${url}`;
    const isOfACut =
      /net::ERR_|WebSocket connection to/.test(said) && served.streams.some((path) => said.includes(path));
    if (!isOfACut) complaints.push(said);
  });
  await page.goto(served.url);
  await page
    .waitForFunction(() => globalThis.sdkInPage !== undefined)
    .catch((error: unknown) => {
      throw new Error(`the page did not load: ${complaints.join("; ")}`, { cause: error });
    });
});

afterEach(async () => {
  await page.close();
  await served[Symbol.asyncDispose]();
});

/** Follows a session in the page while its connections are cut, and returns what was seen and what is true. */
async function followThroughCuts(transport: Transport) {
  await page.evaluate((options) => globalThis.sdkInPage?.begin(options), {
    baseUrl: served.url,
    apiKey,
    agent: "teller",
    transport,
  });
  // Set once the follower is connected, so that the first one meets a connection that was open all the time.
  served.cuts.push(...cuts);
  const message = JSON.stringify({ script: [[{ text: story, chunk: 5, delayMs: 5 }]] });
  for (let messages = 0; messages < 2 || served.cuts.length > 0; messages += 1) {
    if (messages === 20) throw new Error(`these cuts met no text: ${served.cuts.join(", ")}`);
    await page.evaluate((text) => globalThis.sdkInPage?.say(text), message);
  }
  const sight = await page.evaluate(() => globalThis.sdkInPage?.end());
  const log = await page.evaluate(() => globalThis.sdkInPage?.log());
  if (sight === undefined || log === undefined) throw new Error("the page has lost its program");
  return { sight, log };
}

describe("the SDK in a browser", () => {
  it.each(["sse", "websocket"] as const)(
    "follows a session over %s through lost connections: every event once, in order, and only true text",
    async (transport) => {
      const { sight, log } = await followThroughCuts(transport);

      // Chromium itself may ask again for what was refused, without telling the page.
      expect(sight.lost).toBeGreaterThanOrEqual(cuts.filter((cut) => cut !== "refuse").length);
      expect(sight.lostInText).toBeGreaterThan(1);
      const stored = sight.events.filter((event) => "seq" in event);
      expect(stored).toEqual(log.map((event) => ({ ...event, cursor: formatCursor(1, event.seq) })));
      expect(stored.map(({ seq }) => seq)).toEqual(stored.map((_, index) => index + 1));

      const written = log.flatMap((event) => (event.type === "agent.message" ? [event.data.text] : []));
      expect(written.length).toBeGreaterThan(1);
      expect(written.every((text) => text === story)).toBe(true);
      expect(sight.text).toBe(written.join("\n"));
      expect(sight.shown.filter((text) => !story.startsWith(text))).toEqual([]);
      expect(sight.shown.some((text) => text !== "" && text !== story)).toBe(true);

      expect(complaints).toEqual([]);
    },
  );

  it("opens each WebSocket with a ticket of its own and keeps the key out of every address", async () => {
    await followThroughCuts("websocket");
    const tickets = served.streams.map((path) => new URL(path, served.url).searchParams.get("ticket"));
    expect(tickets.every((ticket) => ticket !== null)).toBe(true);
    expect(new Set(tickets).size).toBe(served.streams.length);
    expect(served.streams.filter((path) => path.includes(apiKey))).toEqual([]);
  });

  it("loads nothing but its own packages, and nothing of Node", async () => {
    const resources = await page.evaluate(() =>
      performance.getEntriesByType("resource").map(({ name }) => name),
    );
    expect(resources.filter((name) => !name.startsWith(`${served.url}/`))).toEqual([]);
    const own = /^\/(packages\/(client|contract)\/|node_modules\/(zod|eventsource-parser)\/)/;
    expect(served.modules.filter((path) => !own.test(path))).toEqual([]);
    expect(served.modules).toContain("/packages/client/src/index.ts");
    expect(complaints).toEqual([]);
  });
});
