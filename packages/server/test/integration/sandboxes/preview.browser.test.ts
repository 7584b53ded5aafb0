// A preview where people use it: a real server, a real sandbox with a development server in it, a real Chromium.
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Preview, SandboxInfo } from "@berth/contract";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Door, send } from "../../support/server/api.ts";
import { startServer } from "../../support/server/server-process.ts";

/** What a page has, as far as it is used here: the types of a whole browser would hold for the server's sources as well. */
interface PageElement {
  src: string;
  readonly naturalWidth: number;
  addEventListener(type: "load" | "error", call: () => void): void;
}
declare const document: {
  cookie: string;
  title: string;
  readonly referrer: string;
  readonly body: { appendChild(child: PageElement): PageElement };
  createElement(name: "img" | "iframe"): PageElement;
  querySelector(selector: string): PageElement | null;
};
declare const location: { readonly host: string };
declare const getComputedStyle: (element: unknown) => { readonly color: string };

const root = join(import.meta.dirname, "../../../../..");
const apiKey = "brt_the-admin-key-of-this-test";
const flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"];

interface Asked {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

const ends: (() => Promise<unknown>)[] = [];
let door: Door;
let browser: BrowserContext;
let page: Page;
/** Of two sandboxes. */
let sandboxIds: readonly [string, string];

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "berth-preview-"));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  const env = {
    PATH: process.env["PATH"] ?? "",
    BERTH_SANDBOX: "bubblewrap",
    BERTH_ADMIN_KEY: apiKey,
    BERTH_OLLAMA_DISCOVERY: "false",
  };
  const dataDir = join(folder, "data");
  const server = await startServer({ root, dataDir, env, logFile: join(folder, "log") }).ready;
  ends.push(() => server.end("SIGTERM"));
  door = { url: server.url, apiKey };
  await ask("POST", "/agents", { name: "builder", model: "demo/tour" });
  sandboxIds = [await startDevServer(), await startDevServer()];
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
  page = await browser.newPage();
});
afterEach(async () => {
  await page.close();
  await browser.clearCookies();
});

async function ask<T>(method: "POST" | "DELETE", path: string, body?: unknown): Promise<T> {
  const { status, json } = await send(door, { method, path, body });
  if (status >= 300) throw new Error(`${path}: ${status} ${JSON.stringify(json)}`);
  return json as T;
}

/** In a sandbox of its own, at port 8000; resolves when it listens. */
async function startDevServer(): Promise<string> {
  const session = await ask<{ id: string }>("POST", "/sessions", { agent: "builder" });
  const bytes = new Uint8Array(
    await readFile(join(root, "packages/server/test/support/sandbox/dev-server.py")),
  );
  await send(door, { method: "PUT", path: `/sessions/${session.id}/files/dev-server.py`, bytes });
  const { id } = await ask<SandboxInfo>("POST", "/sandboxes", { sessionId: session.id });
  await ask("POST", `/sandboxes/${id}/processes`, { command: "exec python3 dev-server.py 8000" });
  const command = "until (exec 3<>/dev/tcp/127.0.0.1/8000) 2>/dev/null; do sleep 0.1; done";
  const up = await ask<{ code: number }>("POST", `/sandboxes/${id}/exec`, { command, timeoutMs: 30_000 });
  expect(up.code).toBe(0);
  return id;
}

const open = async (id: string) =>
  new URL((await ask<Preview>("POST", `/sandboxes/${id}/ports`, { port: 8000, ttlMs: 600_000 })).url);

/** All that a development server has been asked so far, as its own page tells. */
const askedOf = (shown: Page) =>
  shown.evaluate(async () => (await (await fetch("/asked")).json()) as Asked[]);

/** Uses a preview from a page in each way that a page has. */
const useFrom = (from: Page, origin: string) =>
  from.evaluate(async (at) => {
    const picture = new Promise<string>((resolve) => {
      const image = document.body.appendChild(document.createElement("img"));
      image.addEventListener("load", () => resolve("shown"));
      image.addEventListener("error", () => resolve("refused"));
      image.src = `${at}/assets/dot.svg?picture`;
    });
    const frame = new Promise<string>((resolve) => {
      const inner = document.body.appendChild(document.createElement("iframe"));
      inner.addEventListener("load", () => resolve("loaded"));
      inner.src = `${at}/?frame`;
    });
    const socket = new Promise<string>((resolve) => {
      const tried = new WebSocket(`${at.replace("http", "ws")}/hot?socket`);
      tried.addEventListener("open", () => resolve("open"));
      tried.addEventListener("error", () => resolve("refused"));
    });
    const sent = fetch(`${at}/?fetch`, { mode: "no-cors", credentials: "include" }).then(
      ({ type }) => type,
      () => "refused",
    );
    return { picture: await picture, frame: await frame, socket: await socket, sent: await sent };
  }, origin);

const readApi = (from: Page, api: string) =>
  from.evaluate(
    (at) =>
      fetch(`${at}/api/v1/me`, { credentials: "include" }).then(
        (reply) => `read ${reply.status}`,
        () => "refused",
      ),
    api,
  );

describe("a preview in a browser", () => {
  it("loads with all that its page names relatively, at an address without the token", async () => {
    const failed: string[] = [];
    page.on("pageerror", (error) => failed.push(String(error)));
    page.on("requestfailed", (request) => failed.push(request.url()));
    const url = await open(sandboxIds[0]);
    const answer = await page.goto(url.href);
    expect(answer?.status()).toBe(200);
    expect(url.hostname).toMatch(/^p[0-9a-z]+\.localhost$/);
    expect(page.url()).toBe(`${url.origin}/`);
    expect(await page.title()).toBe("shop");
    expect(await page.locator("h1").evaluate((shown) => getComputedStyle(shown).color)).toBe("rgb(1, 2, 3)");
    expect(await page.locator("body").getAttribute("data-script")).toBe("ran");
    await page.locator("a").click();
    await page.waitForURL(`${url.origin}/about/`);
    await page.waitForFunction(() => document.querySelector("img")?.naturalWidth === 7);
    await page.locator("a").click();
    await page.waitForURL(`${url.origin}/`);
    await page.reload();
    expect(await page.title()).toBe("shop");
    expect(failed).toEqual([]);
  });

  it("has a WebSocket to its own server", async () => {
    await page.goto((await open(sandboxIds[0])).href);
    const answers = await page.evaluate(async () => {
      const socket = new WebSocket(`ws://${location.host}/hot`);
      const next = () =>
        new Promise<string>((resolve, reject) => {
          socket.addEventListener("message", ({ data }) => resolve(String(data)), { once: true });
          socket.addEventListener("close", ({ code }) => reject(new Error(`closed: ${code}`)), {
            once: true,
          });
        });
      await new Promise((resolve) => socket.addEventListener("open", resolve));
      const heard = [];
      for (const word of ["one", "two"]) {
        const answer = next();
        socket.send(word);
        heard.push(await answer);
      }
      socket.close();
      return heard;
    });
    expect(answers).toEqual(["echo one", "echo two"]);
  });

  it("shares no cookie, no token and no address with Berth's own pages, in either direction", async () => {
    const { port } = new URL(door.url);
    const own = [`http://localhost:${port}`, door.url];
    await browser.addCookies(own.map((url) => ({ url, name: "berth_session", value: "of-berth" })));
    const url = await open(sandboxIds[0]);
    await page.goto(url.href);
    // Its script has set one for its own host, and its server one for all of localhost.
    const seen = (await page.evaluate(() => document.cookie)).split("; ").toSorted();
    expect(seen).toEqual(["theme=dark", "wide=1"]);
    await page.evaluate(() => (document.cookie = "page=1; domain=localhost; path=/"));
    const namesAt = async (at: string) => (await browser.cookies(at)).map(({ name }) => name).toSorted();
    expect(await namesAt(url.origin)).toEqual(["berth_preview", "theme", "wide"]);
    for (const at of own) expect([at, await namesAt(at)]).toEqual([at, ["berth_session"]]);

    const token = url.searchParams.get("berth_token") ?? "";
    const preview = (await browser.cookies(url.origin)).find(({ name }) => name === "berth_preview");
    expect(preview).toMatchObject({ httpOnly: true, sameSite: "Lax", domain: url.hostname });
    const told = JSON.stringify(await askedOf(page));
    expect(told).toContain("theme=dark");
    for (const secret of ["of-berth", token, preview?.value ?? "", "berth_preview", apiKey])
      expect([secret, told.includes(secret)]).toEqual([secret, false]);
    expect(await page.evaluate(() => document.referrer)).toBe("");

    // It may ask Berth and is told nothing; who goes there is told.
    for (const api of own) {
      expect([api, await readApi(page, api)]).toEqual([api, "refused"]);
      expect((await page.goto(`${api}/api/v1/me`))?.status()).toBe(401);
      await page.goto(url.href);
    }
  });

  it("is not used by another preview's page: no picture, no request, no frame, no WebSocket", async () => {
    const victim = await open(sandboxIds[0]);
    await page.goto(victim.href);
    const before = (await askedOf(page)).length;
    const attacker = await browser.newPage();
    try {
      await attacker.goto((await open(sandboxIds[1])).href);
      // A frame shows the refusal.
      expect(await useFrom(attacker, victim.origin)).toMatchObject({ picture: "refused", socket: "refused" });
    } finally {
      await attacker.close();
    }
    // Nothing of it has reached the sandbox; its own page is shown there as before.
    const after = await askedOf(page);
    expect(after.slice(before).map(({ path }) => path)).toEqual([]);
    // The same from its own page is all of it there.
    expect(await useFrom(page, victim.origin)).toMatchObject({ picture: "shown", socket: "open" });
    const own = (await askedOf(page)).slice(before).map(({ path }) => path);
    expect(own.toSorted()).toEqual(
      expect.arrayContaining(["/?fetch", "/?frame", "/assets/dot.svg?picture", "/hot?socket"]),
    );
  });

  it("ends in the browser when its port is closed", async () => {
    const url = await open(sandboxIds[1]);
    await page.goto(url.href);
    await page.evaluate(() => {
      const socket = new WebSocket(`ws://${location.host}/hot`);
      socket.addEventListener("open", () => (document.title = "connected"));
      socket.addEventListener("close", () => (document.title = "cut"));
    });
    await page.waitForFunction(() => document.title === "connected");
    await ask("DELETE", `/sandboxes/${sandboxIds[1]}/ports/8000`);
    await page.waitForFunction(() => document.title === "cut");
    expect((await page.reload())?.status()).toBe(403);
  });
});
