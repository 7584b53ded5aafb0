import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRefusingPort } from "../../../client/test/support/refusing-port.ts";
import {
  type Answer,
  collect,
  type Dialect,
  fold,
  plainRequest,
  usage,
} from "../../test/support/models/answers.ts";
import { type FaultServer, type Reply, startFaultServer } from "../../test/support/models/fault-server.ts";
import { rigTimeouts } from "../../test/support/models/http-rig.ts";
import { shortestOf } from "../../test/support/shortest-of.ts";
import { createManualClock, type ManualClock } from "../../test/support/manual-clock.ts";
import type { ModelAdapter, ModelErrorCode, ModelPart } from "./model.ts";

const apiKey = "sk-test-0123456789";
const hello: Answer = { steps: [{ text: ["Grüße ", "世界 ", "👩‍🚀"] }], finish: "stop", usage };
const never = new AbortController().signal;

/** What every adapter that speaks HTTP does with a provider that answers badly, late or not at all. */
export function describeHttpAdapter(dialect: Dialect): void {
  describe(`${dialect.name} over a faulty connection`, () => {
    let server: FaultServer;
    let clock: ManualClock;
    let adapter: ModelAdapter;
    const call = (signal: AbortSignal = never) => adapter.stream(plainRequest, signal);
    const errorOf = async () => (await collect(call())).error;

    beforeEach(async () => {
      server = await startFaultServer();
      clock = createManualClock();
      adapter = dialect.adapter({ baseUrl: server.url, apiKey, clock, timeouts: rigTimeouts });
    });
    afterEach(() => server.close());

    it("reads a stream that comes byte by byte", async () => {
      server.answer((reply) => {
        reply.head(200);
        for (const byte of Buffer.from(dialect.events(hello).join(""))) reply.chunk(Uint8Array.of(byte));
        reply.end();
      });
      const got = await collect(call());
      expect(got.blocks).toEqual([{ type: "text", text: "Grüße 世界 👩‍🚀" }]);
      expect(got.finish).toBe("stop");
    });

    it("reads lines that end with CRLF, comments and a missing last empty line", async () => {
      server.answer((reply) => {
        reply.head(200, { "content-type": "text/event-stream; charset=utf-8" });
        reply.chunk(": hello\r\n\r\n");
        reply.chunk(dialect.events(hello).join(": ping\n\n").trimEnd().replaceAll("\n", "\r\n"));
        reply.end();
      });
      const got = await collect(call());
      expect(got.blocks).toEqual([{ type: "text", text: "Grüße 世界 👩‍🚀" }]);
      expect(got.finish).toBe("stop");
    });

    it("makes few arrays of many tokens that come at once", async () => {
      const text = Array.from({ length: 2_000 }, (_, i) => `t${i} `);
      server.answer((reply) => {
        reply.head(200);
        reply.chunk(dialect.events({ ...hello, steps: [{ text }] }).join(""));
        reply.end();
      });
      const got = await collect(call());
      expect(got.blocks).toEqual([{ type: "text", text: text.join("") }]);
      expect(got.batches).toBeLessThan(100);
    });

    const statuses: readonly [number, string, ModelErrorCode, boolean][] = [
      [400, "bad parameter", "invalid_request", false],
      [400, "prompt is too long: 210000 tokens > 200000 maximum", "context_length_exceeded", false],
      [400, "This model's maximum context length is 8192 tokens", "context_length_exceeded", false],
      [401, `Incorrect API key provided: ${apiKey}`, "authentication_failed", false],
      [402, "Insufficient Balance", "rate_limited", false],
      [403, "no access", "authentication_failed", false],
      [404, "no such model", "model_not_found", false],
      [408, "too slow", "timeout", true],
      [413, "too large", "context_length_exceeded", false],
      [429, "slow down", "rate_limited", true],
      [
        429,
        "You exceeded your current quota, please check your plan and billing details.",
        "rate_limited",
        false,
      ],
      [500, "oops", "server_error", true],
      [502, "bad gateway", "server_error", true],
      [503, "busy", "overloaded", true],
      [529, "overloaded", "overloaded", true],
    ];
    it.each(statuses)("takes %i %s for %s", async (status, message, code, retryable) => {
      server.answer((reply) =>
        reply.send(status, { "content-type": "application/json" }, dialect.fault(status, message)),
      );
      const error = await errorOf();
      expect(error).toMatchObject({ code, retryable });
      expect(JSON.stringify(error)).not.toContain(apiKey);
      expect(error?.message).toContain(String(status));
    });

    it.each([
      ["an HTML page", "text/html", "<html><head><title>502 Bad Gateway</title></head></html>"],
      ["an empty body", "application/json", ""],
      ["broken JSON", "application/json", '{"error": {'],
      ["text", "text/plain", "upstream connect error"],
    ])("takes a 502 with %s for a server error", async (_what, type, body) => {
      server.answer((reply) => reply.send(502, { "content-type": type }, body));
      expect(await errorOf()).toMatchObject({ code: "server_error", retryable: true });
    });

    it("reads Retry-After in seconds and as a date", async () => {
      const refuse = (value: string) =>
        server.answer((reply) =>
          reply.send(
            429,
            { "content-type": "application/json", "retry-after": value },
            dialect.fault(429, "slow down"),
          ),
        );
      refuse("7");
      expect((await errorOf())?.retryAfterMs).toBe(7_000);
      refuse(new Date(clock.now() + 12_000).toUTCString());
      expect((await errorOf())?.retryAfterMs).toBe(12_000);
      refuse("soon");
      expect(await errorOf()).not.toHaveProperty("retryAfterMs");
    });

    it.each<[string, (reply: Reply) => void]>([
      [
        "a web page",
        (reply) => reply.send(200, { "content-type": "text/html" }, "<html><title>Welcome</title></html>"),
      ],
      ["an event that is no JSON", (reply) => (reply.head(200), reply.chunk("data: {oops\n\n"), reply.end())],
      ["an event that is null", (reply) => (reply.head(200), reply.chunk("data: null\n\n"), reply.end())],
      ["nothing", (reply) => (reply.head(200), reply.end())],
      ["another protocol", (reply) => reply.raw("SSH-2.0-OpenSSH_9.2\r\n")],
    ])("takes %s for a bad response", async (_what, play) => {
      server.answer(play);
      expect(await errorOf()).toMatchObject({ code: "bad_response", retryable: true });
    });

    it("takes garbage in the middle of an answer for a bad response, after what came before", async () => {
      server.answer((reply) => {
        reply.head(200);
        for (const event of dialect.openEvents(hello)) reply.chunk(event);
        reply.chunk("data: \u0000\u0001\u0002{{{\n\n");
      });
      const got = await collect(call());
      expect(got.error).toMatchObject({ code: "bad_response", retryable: true });
      expect(got.blocks).toEqual([{ type: "text", text: "Grüße 世界 👩‍🚀" }]);
    });

    it("stops reading a line that has no end", async () => {
      const asked = new Promise<Reply>((resolve) => server.answer(resolve));
      const answer = errorOf();
      const reply = await asked;
      reply.head(200);
      reply.chunk("data: ");
      const mebibyte = Buffer.alloc(1024 * 1024, "x");
      for (let i = 0; i < 10; i++) reply.chunk(mebibyte);
      expect(await answer).toMatchObject({ code: "bad_response" });
      await reply.gone;
    });

    it("tells a connection that breaks in the middle of an event", async () => {
      server.answer((reply) => {
        reply.head(200);
        reply.chunk(dialect.openEvents(hello).join(""));
        reply.chunk('data: {"cho');
        setImmediate(() => reply.cut());
      });
      expect(await errorOf()).toMatchObject({ code: "cut_off", retryable: true });
    });

    it("tells a stream that ends properly but too early", async () => {
      server.answer((reply) => {
        reply.head(200);
        reply.chunk(dialect.openEvents(hello).join(""));
        reply.end();
      });
      expect(await errorOf()).toMatchObject({ code: "cut_off", retryable: true });
    });

    it("tells a connection that closes before any answer", async () => {
      server.answer((reply) => reply.cut());
      expect(await errorOf()).toMatchObject({ code: "connection_failed", retryable: true });
    });

    it("tells a provider that is not there", async () => {
      await using nobody = await openRefusingPort();
      const options = { baseUrl: nobody.url, apiKey, clock, timeouts: rigTimeouts };
      const { error } = await collect(dialect.adapter(options).stream(plainRequest, never));
      expect(error).toMatchObject({ code: "connection_failed", retryable: true });
    });

    it("waits so long for the first token and no longer", async () => {
      const asked = new Promise<Reply>((resolve) => server.answer(resolve));
      const answer = errorOf();
      const reply = await asked;
      await clock.advance(rigTimeouts.firstTokenMs - 1);
      reply.head(200);
      reply.chunk(": still thinking\n\n");
      await clock.advance(2);
      expect(await answer).toMatchObject({ code: "timeout", retryable: true });
      await reply.gone;
    });

    it("waits so long for the next token and no longer", async () => {
      const asked = new Promise<Reply>((resolve) =>
        server.answer((reply) => {
          reply.head(200);
          for (const event of dialect.openEvents(hello)) reply.chunk(event);
          resolve(reply);
        }),
      );
      const parts: ModelPart[] = [];
      for await (const batch of call()) {
        parts.push(...batch);
        if (batch.some(({ type }) => type === "error")) break;
        void clock.advance(rigTimeouts.idleMs + 1);
      }
      expect(fold(parts).error).toMatchObject({ code: "timeout", retryable: true });
      await (
        await asked
      ).gone;
    });

    it("ends within 50 ms of an abort while it waits for the first token", async () => {
      const took = await shortestOf(50, async () => {
        const stop = new AbortController();
        const asked = new Promise<Reply>((resolve) => server.answer(resolve));
        const answer = collect(call(stop.signal));
        const reply = await asked;
        const at = performance.now();
        stop.abort();
        expect((await answer).error?.code).toBe("aborted");
        const ms = performance.now() - at;
        await reply.gone;
        return ms;
      });
      expect(took).toBeLessThan(50);
    });
  });
}
