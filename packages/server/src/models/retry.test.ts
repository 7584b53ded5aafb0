import { describe, expect, it } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { plainRequest } from "../../test/support/models/answers.ts";
import type { ModelAdapter, ModelCatalog, ModelErrorCode, ModelPart } from "./model.ts";
import { createModelClient } from "./retry.ts";
import type { RetrySettings } from "./retry-settings.ts";
import { createScripted, type ScriptTurn } from "./scripted/scripted.ts";

const hello: ScriptTurn = [{ text: "hello" }];
const fails = (
  error: Exclude<ModelErrorCode, "circuit_open" | "model_not_found" | "aborted">,
  retryAfterMs?: number,
): ScriptTurn => [{ text: "half" }, { error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }];

const settings: RetrySettings = {
  maxAttempts: 3,
  baseDelayMs: 100,
  maxDelayMs: 1_000,
  maxRetryAfterMs: 10_000,
  breaker: { failures: 4, openMs: 5_000 },
};

/** Models by name, each with the answers that it gives one after the other; the last one for ever. */
function rig(models: Readonly<Record<string, readonly ScriptTurn[]>>, set: Partial<RetrySettings> = {}) {
  const clock = createManualClock();
  const calls: string[] = [];
  const adapterOf = (name: string, turns: readonly ScriptTurn[]): ModelAdapter =>
    createScripted({
      clock,
      turn: () => {
        const made = calls.filter((one) => one === name).length;
        calls.push(name);
        return turns[Math.min(made, turns.length - 1)] ?? [];
      },
    });
  const adapters = new Map(Object.entries(models).map(([name, turns]) => [name, adapterOf(name, turns)]));
  const price = { input: 1, output: 10, cacheRead: 0.1, cacheWrite: 2 };
  const catalog: ModelCatalog = {
    resolve(name) {
      const adapter = adapters.get(name);
      const info = { name, provider: "p", contextWindow: 1_000, maxOutputTokens: null, price, demo: false };
      return adapter === undefined ? null : { adapter, info, model: name.slice(name.indexOf("/") + 1) };
    },
    list: () => Promise.resolve([]),
  };
  const client = createModelClient({ catalog, clock, random: () => 0.5, settings: { ...settings, ...set } });
  /** Reads a call to its end, with time passing as it needs. */
  async function call(names: readonly string[], signal: AbortSignal = new AbortController().signal) {
    const parts: ModelPart[] = [];
    const state = { over: false };
    const reading = (async () => {
      for await (const batch of client.stream({ models: names, request: plainRequest }, signal))
        parts.push(...batch);
      state.over = true;
    })();
    while (!state.over) await clock.advance(50);
    await reading;
    return parts;
  }
  return { client, call, calls, clock };
}

const kinds = (parts: readonly ModelPart[]) => parts.map(({ type }) => type);
const end = (parts: readonly ModelPart[]) => parts.at(-1);

describe("a call with retries", () => {
  it("passes on an answer as it is", async () => {
    const { call } = rig({ "p/a": [hello] });
    expect(kinds(await call(["p/a"]))).toEqual(["text", "usage", "finish"]);
  });

  it("tries again after a cut in the middle, and says that what came before is void", async () => {
    const { call, calls } = rig({ "p/a": [fails("cut_off"), fails("overloaded"), hello] });
    const parts = await call(["p/a"]);
    expect(kinds(parts)).toEqual(["text", "retry", "text", "retry", "text", "usage", "finish"]);
    expect(parts.filter(({ type }) => type === "retry")).toMatchObject([
      { attempt: 1, delayMs: 50, error: { code: "cut_off" } },
      { attempt: 2, delayMs: 100, error: { code: "overloaded" } },
    ]);
    expect(calls).toHaveLength(3);
  });

  it("gives up after its attempts with the last error", async () => {
    const { call, calls } = rig({ "p/a": [fails("server_error")] });
    expect(end(await call(["p/a"]))).toMatchObject({ type: "error", error: { code: "server_error" } });
    expect(calls).toHaveLength(3);
  });

  it("does not repeat what can only fail again", async () => {
    const { call, calls } = rig({ "p/a": [fails("invalid_request")] });
    expect(end(await call(["p/a"]))).toMatchObject({ type: "error", error: { code: "invalid_request" } });
    expect(calls).toHaveLength(1);
  });

  it("waits as long as the provider asks, but not for ever", async () => {
    const asks = rig({ "p/a": [fails("rate_limited", 3_000), hello] });
    const parts = await asks.call(["p/a"]);
    expect(parts).toContainEqual(expect.objectContaining({ type: "retry", delayMs: 3_000 }));
    const tooLong = rig({ "p/a": [fails("rate_limited", 60_000), hello] });
    expect(end(await tooLong.call(["p/a"]))).toMatchObject({
      error: { code: "rate_limited", retryAfterMs: 60_000 },
    });
    expect(tooLong.calls).toHaveLength(1);
  });

  it("ends at once when it is aborted while it waits", async () => {
    const { client, clock } = rig({ "p/a": [fails("rate_limited", 9_000)] });
    const stop = new AbortController();
    const parts: ModelPart[] = [];
    for await (const batch of client.stream({ models: ["p/a", "p/a"], request: plainRequest }, stop.signal)) {
      parts.push(...batch);
      if (batch.some(({ type }) => type === "retry")) stop.abort();
    }
    expect(end(parts)).toMatchObject({ type: "error", error: { code: "aborted", retryable: false } });
    expect(clock.timers()).toBe(0);
  });

  it("never throws, whatever an adapter does", async () => {
    const broken: ModelAdapter = {
      stream: () => {
        throw new Error("boom");
      },
    };
    const info = {
      name: "p/a",
      provider: "p",
      contextWindow: 1,
      maxOutputTokens: null,
      price: null,
      demo: false,
    };
    const catalog = {
      resolve: () => ({ adapter: broken, info, model: "a" }),
      list: () => Promise.resolve([]),
    };
    const client = createModelClient({ catalog, clock: createManualClock(), settings: { maxAttempts: 1 } });
    const parts: ModelPart[] = [];
    const never = new AbortController().signal;
    for await (const batch of client.stream({ models: ["p/a"], request: plainRequest }, never))
      parts.push(...batch);
    expect(parts).toMatchObject([
      { type: "error", error: { code: "bad_response", message: expect.stringContaining("boom") as string } },
    ]);
  });
});

describe("a call with fallbacks", () => {
  it("goes on with the next model when one is used up", async () => {
    const { call, calls } = rig({ "p/a": [fails("overloaded")], "p/b": [hello] });
    const parts = await call(["p/a", "p/b"]);
    expect(parts).toContainEqual(expect.objectContaining({ type: "fallback", from: "p/a", to: "p/b" }));
    expect(end(parts)).toEqual({ type: "finish", finish: "stop" });
    expect(calls).toEqual(["p/a", "p/a", "p/a", "p/b"]);
  });

  it("skips a model that is not there, and says so when it was the last", async () => {
    const { call } = rig({ "p/b": [hello] });
    expect(end(await call(["p/a", "p/b"]))).toEqual({ type: "finish", finish: "stop" });
    const parts = await call(["p/a"]);
    expect(parts).toMatchObject([
      {
        type: "error",
        error: { code: "model_not_found", message: expect.stringContaining("p/a") as string },
      },
    ]);
  });

  it.each(["context_length_exceeded", "content_filtered"] as const)("leaves %s to runtime", async (code) => {
    const { call, calls } = rig({ "p/a": [fails(code)], "p/b": [hello] });
    expect(end(await call(["p/a", "p/b"]))).toMatchObject({ error: { code } });
    expect(calls).toEqual(["p/a"]);
  });
});

describe("a circuit breaker", () => {
  it("opens after so many failures in a row, and lets one call try after a while", async () => {
    const { call, calls, clock } = rig({
      "p/a": [...Array.from({ length: 5 }, () => fails("server_error")), hello],
    });
    await call(["p/a"]);
    expect(end(await call(["p/a"]))).toMatchObject({ error: { code: "server_error" } });
    expect(calls).toHaveLength(4);
    const refused = await call(["p/a"]);
    expect(refused).toMatchObject([{ type: "error", error: { code: "circuit_open", retryable: true } }]);
    expect(calls).toHaveLength(4);
    await clock.advance(5_000);
    expect(end(await call(["p/a"]))).toMatchObject({ error: { code: "server_error" } });
    expect(calls).toHaveLength(5);
    await clock.advance(5_000);
    expect(end(await call(["p/a"]))).toEqual({ type: "finish", finish: "stop" });
    expect(end(await call(["p/a"]))).toEqual({ type: "finish", finish: "stop" });
  });

  it("lets one probe through at a time, and the others as soon as that one is answered", async () => {
    const slow: ScriptTurn = [{ waitMs: 1_000 }, { text: "at last" }, { waitMs: 1_000 }];
    const failing = Array.from({ length: 4 }, () => fails("timeout"));
    const { client, call, clock } = rig({ "p/a": [...failing, slow] }, { maxAttempts: 4 });
    await call(["p/a"]);
    await clock.advance(5_000);
    const seen: string[][] = [[], [], []];
    const read = async (index: number) => {
      const request = { models: ["p/a"], request: plainRequest };
      for await (const batch of client.stream(request, new AbortController().signal))
        seen[index]?.push(...kinds(batch));
    };
    const probe = read(0);
    await clock.advance(500);
    await read(1);
    expect(seen[1]).toEqual(["error"]);
    await clock.advance(600);
    expect(seen[0]).toEqual(["text"]);
    const third = read(2);
    await clock.advance(3_000);
    await Promise.all([probe, third]);
    expect(seen[2]).toEqual(["text", "usage", "finish"]);
  });

  it("does not count refusals that show the provider to be alive", async () => {
    const { call, calls } = rig({ "p/a": [fails("rate_limited")] });
    for (let i = 0; i < 4; i++) await call(["p/a"]);
    expect(calls).toHaveLength(12);
  });

  it("counts for each model alone", async () => {
    const { call } = rig({ "p/a": [fails("server_error")], "p/b": [hello] });
    await call(["p/a"]);
    await call(["p/a"]);
    expect(end(await call(["p/b"]))).toEqual({ type: "finish", finish: "stop" });
  });
});

describe("what a model client knows", () => {
  it("tells models and what a usage costs", () => {
    const { client } = rig({ "p/a": [hello] });
    expect(client.knows("p/a")).toBe(true);
    expect(client.knows("p/x")).toBe(false);
    expect(client.info("p/a")?.contextWindow).toBe(1_000);
    const usage = {
      inputTokens: 1_000_000,
      outputTokens: 100_000,
      cacheReadTokens: 400_000,
      cacheWriteTokens: 100_000,
      reasoningTokens: 50_000,
    };
    expect(client.cost("p/a", usage)).toBeCloseTo(0.5 + 0.04 + 0.2 + 1, 10);
    expect(client.cost("p/x", usage)).toBeNull();
  });
});
