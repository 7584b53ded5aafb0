import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteClient } from "../../test/support/follow/byte-client.ts";
import { createFollowScene, type FollowScene } from "../../test/support/follow/scene.ts";
import { newBlock, keyOf } from "../../test/support/follow/writer.ts";
import type { SessionFrame } from "../coordination/session-frames.ts";

/** Blocks of two agents; a finished one is followed by a new one. */
const agents = ["", "writer-1"] as const;
type Agent = 0 | 1;
type Carriage = "now" | "lost" | "late" | "twice";

type Step =
  | { do: "append"; by: Carriage }
  | { do: "write"; agent: Agent; text: string; by: Carriage }
  | { do: "finish"; agent: Agent; by: Carriage }
  | { do: "retry"; agent: Agent }
  | { do: "deliver"; which: number }
  | { do: "flow"; client: Agent; bytes: number }
  | { do: "cut"; client: Agent }
  | { do: "advance"; ms: number };

const agent = fc.constantFrom<Agent>(0, 1);
const by = fc.constantFrom<Carriage>("now", "now", "now", "lost", "late", "twice");
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("append" as const), by }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("write" as const),
      agent,
      text: fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }),
      by,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("finish" as const), agent, by }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("retry" as const), agent }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("deliver" as const), which: fc.nat(20) }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("flow" as const), client: agent, bytes: fc.nat(900) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("cut" as const), client: agent }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("advance" as const), ms: fc.nat(900) }) },
);

describe("an event stream", () => {
  it("I9: loses and repeats nothing, over reconnects at any byte, whatever the bus does", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 60 }), async (steps) => {
        const run = await createRun();
        for (const each of steps) await run.take(each);
        await run.comeToRest();
        for (const client of run.clients) {
          expect(client.wrong).toEqual([]);
          expect(client.seqs).toEqual(run.scene.log.map(({ seq }) => seq));
          for (const key of run.openBlocks()) expect(client.texts.get(key)?.text).toBe(run.textOf(key));
        }
      }),
      { numRuns: 300 },
    );
  });
});

interface Run {
  readonly scene: FollowScene;
  readonly clients: readonly [ByteClient, ByteClient];
  take(step: Step): Promise<void>;
  /** The bus and the network are in order again, and everything has time. */
  comeToRest(): Promise<void>;
  openBlocks(): readonly string[];
  textOf(key: string): string;
}

async function createRun(): Promise<Run> {
  // Small pages and a small buffer: backfill, cut-over and slowness come all the time.
  const scene = createFollowScene({ maxUnsent: 600, pageEvents: 3 });
  const late: (() => void)[] = [];
  const numbers = [0, 0];
  const started = new Set<string>();
  const blockOf = (one: Agent) => newBlock(`a${one}n${numbers[one]}`, agents[one]);
  const carry = {
    now: (frame: SessionFrame, deliver: (frame: SessionFrame) => void) => deliver(frame),
    lost: () => {},
    late: (frame: SessionFrame, deliver: (frame: SessionFrame) => void) =>
      void late.push(() => deliver(frame)),
    twice(frame: SessionFrame, deliver: (frame: SessionFrame) => void) {
      deliver(frame);
      deliver(frame);
    },
  };
  const clients = [new ByteClient(scene), new ByteClient(scene)] as const;
  await Promise.all(clients.map((client) => client.connect()));

  function write(one: Agent, text: string): void {
    started.add(keyOf(blockOf(one)));
    scene.writer.write(blockOf(one), text);
  }

  async function take(step: Step): Promise<void> {
    if ("by" in step) scene.wire.carry = carry[step.by];
    switch (step.do) {
      case "append":
        return void scene.append("todo.changed");
      case "write":
        return write(step.agent, step.text);
      case "finish":
        scene.finish(blockOf(step.agent));
        return void (numbers[step.agent] = (numbers[step.agent] ?? 0) + 1);
      case "retry":
        return scene.writer.retry(blockOf(step.agent));
      case "deliver":
        return late.splice(step.which % Math.max(1, late.length), 1)[0]?.();
      case "flow":
        return clients[step.client].flow(step.bytes);
      case "cut":
        return clients[step.client].connect();
      case "advance":
        return scene.clock.advance(step.ms);
    }
  }

  return {
    scene,
    clients,
    take,
    openBlocks: () => ([0, 1] as const).map((one) => keyOf(blockOf(one))).filter((key) => started.has(key)),
    textOf: (key) =>
      scene.writer.textOf(blockOf(([0, 1] as const).find((one) => keyOf(blockOf(one)) === key) ?? 0)),
    async comeToRest() {
      scene.wire.carry = carry.now;
      for (const deliver of late.splice(0)) deliver();
      for (const one of [0, 1] as const) write(one, "!");
      for (let i = 0; i < 60; i++) {
        await scene.clock.advance(100);
        for (const client of clients) client.flow(Number.POSITIVE_INFINITY);
      }
    },
  };
}
