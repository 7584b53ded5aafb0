import type { Effect } from "@berth/contract";
import { hashJson } from "../../../src/lib/canonical-json.ts";
import { createRegistry, type Registry } from "../../../src/tools/registry.ts";
import { delegateTool } from "../../../src/tools/builtin/delegate.ts";
import type { Tool, ToolContext, ToolOutcome } from "../../../src/tools/tool.ts";
import type { Life } from "../engine/life.ts";
import type { Mishaps } from "./mishaps.ts";
import type { Work } from "./work.ts";

/** A tool that began to run, as the world outside sees it: what it does there outlives every crash. */
export interface ToolStart {
  readonly sessionId: string;
  readonly toolUseId: string;
  readonly tool: string;
  readonly effect: Effect;
  readonly inputHash: string;
  /** Where it runs. */
  readonly life: string;
}

export interface ToolWorld {
  readonly mishaps: Mishaps;
  readonly started: (start: ToolStart) => void;
  /** Is told who is busy; what it gives back is called at the end. */
  readonly begin: (life: string, work: Work) => () => void;
}

/** Name, effect, and whether it writes into the workspace. */
const kinds: readonly (readonly [name: string, effect: Effect, writes: boolean])[] = [
  ["peek", "pure", false],
  ["put", "idempotent", true],
  ["fire", "once", false],
  ["ask_peek", "pure", false],
  ["ask_put", "idempotent", true],
  ["ask_fire", "once", false],
];

/** Names of tools that need no approval, and of those that do. */
export const freeTools = ["peek", "put", "fire"] as const;
export const askingTools = ["ask_peek", "ask_put", "ask_fire"] as const;

const schema = { type: "object" };

/** Checks inputs for all lives: compiling schemas for each of them was a fifth of the simulation's time. */
const checks = createRegistry([delegateTool]);

export function toolsOf(world: ToolWorld, life: Life): Registry {
  const tools = kinds.map(([name, effect, writes]): Tool => ({
    name,
    description: `The tool ${name}.`,
    inputSchema: schema,
    effect,
    touchesWorkspace: writes,
    reachesOutside: effect === "once",
    timeoutMs: 5_000,
    run(input, context) {
      world.started({ ...context, tool: name, effect, inputHash: hashJson(input), life: life.name });
      const { sessionId, signal } = context;
      const end = world.begin(life.name, { what: name, sessionId, epoch: null, signal });
      return run(world, life, context, writes).finally(end);
    },
  }));
  const registry = createRegistry([...tools, delegateTool]);
  return {
    ...registry,
    checkInput: (tool, input) => checks.checkInput(tool, input),
    clientToolError: (tool) => checks.clientToolError(tool),
  };
}

async function run(
  { mishaps }: ToolWorld,
  life: Life,
  context: ToolContext,
  writes: boolean,
): Promise<ToolOutcome> {
  const mishap = mishaps.take("tool");
  if (mishap?.kind === "tool-throws") throw new Error("simulated");
  if (mishap?.kind === "tool-fails") return { ok: false, errorType: "runtime", message: "simulated" };
  // One that hangs takes no notice of its signal.
  if (mishap?.kind === "tool-hangs") await life.sleep(60_000, "tool hangs");
  if (mishap?.kind === "tool-slow") await life.sleep(mishap.ms, "slow tool", context.signal);
  await life.call("tool", () => undefined);
  await life.sleep(life.random.next() * 30, "tool works", context.signal);
  if (context.signal.aborted) return { ok: false, errorType: "aborted", message: "stopped" };
  if (writes) await (await context.files()).write("put.txt", Buffer.from(context.toolUseId));
  context.progress("half ");
  return { ok: true, content: "done" };
}
