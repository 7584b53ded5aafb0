import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Answer, collect, fold, usage } from "../../test/support/models/answers.ts";
import { shortestOf } from "../../test/support/shortest-of.ts";
import type { ModelAdapter, ModelPart, ModelRequest } from "./model.ts";

/** How an answer ends: as it should, in silence, by a dead connection, or by an overload that the provider reports. */
export type Ending = "whole" | "silent" | "cut" | "overloaded";

export interface RunningRig {
  readonly adapter: ModelAdapter;
  readonly request: ModelRequest;
  /** What the calls from now on are answered with. */
  play(answer: Answer, ending?: Ending): void;
  /** Settles when the adapter has let go of the last call's connection. */
  gone(): Promise<void>;
  stop(): Promise<void>;
}

/** Makes an adapter answer what a test wants. */
export interface ModelRig {
  readonly name: string;
  start(): Promise<RunningRig>;
}

const hello: Answer = { steps: [{ text: ["Hel", "lo ", "you"] }], finish: "stop", usage };
const never = new AbortController().signal;

/** What every adapter of the port does, whoever is behind it. */
export function describeModelAdapter(rig: ModelRig): void {
  describe(`${rig.name} as a model adapter`, () => {
    let running: RunningRig;
    const call = (signal: AbortSignal = never) => running.adapter.stream(running.request, signal);

    beforeEach(async () => {
      running = await rig.start();
    });
    afterEach(() => running.stop());

    it("streams text, then usage, then finish", async () => {
      running.play(hello);
      const got = await collect(call());
      expect(got.blocks).toEqual([{ type: "text", text: "Hello you" }]);
      expect(got.finish).toBe("stop");
      expect(got.usage).toMatchObject({ inputTokens: usage.input, outputTokens: usage.output });
      expect(got.parts.slice(-2).map(({ type }) => type)).toEqual(["usage", "finish"]);
    });

    it("keeps thinking apart from text", async () => {
      running.play({ steps: [{ thinking: ["Let me ", "see."] }, { text: ["Yes."] }], finish: "stop", usage });
      const [thinking, text, ...more] = (await collect(call())).blocks;
      expect(thinking).toMatchObject({ type: "thinking", text: "Let me see." });
      expect(text).toEqual({ type: "text", text: "Yes." });
      expect(more).toEqual([]);
    });

    it("streams parallel tool calls after text, each in its own block", async () => {
      const calls = [
        { name: "add", pieces: ['{"a"', ":1}"] },
        { name: "add", pieces: ['{"a":', "2", "}"] },
        { name: "look", pieces: ['{"at":"x"}'] },
      ];
      running.play({ steps: [{ text: ["Now:"] }, { calls }], finish: "tool_calls", usage });
      const got = await collect(call());
      expect(got.blocks).toEqual([
        { type: "text", text: "Now:" },
        { type: "tool_call", name: "add", input: '{"a":1}' },
        { type: "tool_call", name: "add", input: '{"a":2}' },
        { type: "tool_call", name: "look", input: '{"at":"x"}' },
      ]);
      expect(got.finish).toBe("tool_calls");
    });

    it("hands on tool input that is no JSON as the model wrote it", async () => {
      running.play({
        steps: [{ calls: [{ name: "add", pieces: ['{"a": ', "oops"] }] }],
        finish: "tool_calls",
        usage,
      });
      const got = await collect(call());
      expect(got.blocks).toEqual([{ type: "tool_call", name: "add", input: '{"a": oops' }]);
      expect(got.finish).toBe("tool_calls");
    });

    it("says when the answer was cut at its limit", async () => {
      running.play({ ...hello, finish: "length" });
      expect((await collect(call())).finish).toBe("length");
    });

    it("keeps characters of several bytes whole", async () => {
      running.play({ steps: [{ text: ["Grüße ", "世界 ", "👩‍🚀"] }], finish: "stop", usage });
      expect((await collect(call())).blocks).toEqual([{ type: "text", text: "Grüße 世界 👩‍🚀" }]);
    });

    it("answers many calls at once without mixing them", async () => {
      running.play(hello);
      const all = await Promise.all(Array.from({ length: 20 }, () => collect(call())));
      for (const got of all) expect(got.blocks).toEqual([{ type: "text", text: "Hello you" }]);
    });

    it("makes no call when the signal is aborted already", async () => {
      running.play(hello);
      const got = await collect(call(AbortSignal.abort()));
      expect(got.error?.code).toBe("aborted");
      expect(got.blocks).toEqual([]);
    });

    it("ends within 50 ms of an abort in the middle of an answer", async () => {
      running.play(hello, "silent");
      const took = await shortestOf(50, async () => {
        const stop = new AbortController();
        const parts: ModelPart[] = [];
        let abortedAt = Number.NaN;
        for await (const batch of call(stop.signal)) {
          parts.push(...batch);
          if (stop.signal.aborted || textOf(parts) !== "Hello you") continue;
          abortedAt = performance.now();
          stop.abort();
        }
        const ms = performance.now() - abortedAt;
        expect(fold(parts).error).toMatchObject({ code: "aborted", retryable: false });
        await running.gone();
        return ms;
      });
      expect(took).toBeLessThan(50);
    });

    it("lets go of the call when the reader leaves", async () => {
      running.play(hello, "silent");
      for await (const batch of call()) if (batch.length > 0) break;
      await running.gone();
    });

    it("tells an answer that breaks off, with what came before", async () => {
      running.play(hello, "cut");
      const got = await collect(call());
      expect(got.error).toMatchObject({ code: "cut_off", retryable: true });
      expect(fold(got.parts).blocks).toEqual([{ type: "text", text: "Hello you" }]);
    });

    it("tells an error that the provider reports inside its stream", async () => {
      running.play(hello, "overloaded");
      expect((await collect(call())).error).toMatchObject({ code: "overloaded", retryable: true });
    });
  });
}

function textOf(parts: readonly ModelPart[]): string {
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}
