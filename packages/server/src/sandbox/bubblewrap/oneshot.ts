import { BerthError } from "../../lib/errors.ts";
import type { ExecResult, ExecSpec } from "../sandbox.ts";
import { type Life, startBubblewrap, type Surroundings, visibleWorkspace } from "./life.ts";
import { tooManyCommands } from "./agent-commands.ts";
import { meetAgent } from "./meet-agent.ts";

interface Asked {
  readonly life: Life;
  readonly folder: string;
  readonly spec: ExecSpec;
  /** Aborts when the living one ends. */
  readonly ending: AbortSignal;
}

/** Commands in sandboxes of their own, of each living one: what bubblewrap is outside counts in no control group. */
const running = new WeakMap<Life, number>();

/**
 * Runs one command in a sandbox of its own with the workspace, user, limits and network of a living one. When it ends, everything
 * that it started ends with it. It shares the living one's control group, so both together stay below its limits. Rejects with
 * `too_many_processes`, and with `sandbox_gone` when the living one is ended before the command begins.
 */
export async function runOneshot(surroundings: Surroundings, asked: Asked): Promise<ExecResult> {
  const { life, ending } = asked;
  const count = running.get(life) ?? 0;
  const most = life.policy.limits.processes;
  if (count >= most) throw tooManyCommands(most);
  running.set(life, count + 1);
  try {
    return await run(surroundings, asked);
  } catch (thrown) {
    if (!ending.aborted) throw thrown;
    throw new BerthError("sandbox_gone", "This sandbox was ended; connect again.", { retryable: true });
  } finally {
    running.set(life, (running.get(life) ?? 1) - 1);
  }
}

async function run(surroundings: Surroundings, { life, folder, spec, ending }: Asked): Promise<ExecResult> {
  const { clock } = surroundings;
  const began = clock.monotonic();
  const { limits } = life.policy;
  const launched = await startBubblewrap(surroundings, {
    record: life.record,
    limits,
    workspacePath: visibleWorkspace(surroundings, life),
    signal: ending,
  });
  const kill = () => launched.kill();
  ending.addEventListener("abort", kill, { once: true });
  try {
    await life.group?.add(launched.first.pid);
    launched.go();
    const agent = await meetAgent({
      clock,
      launched,
      signal: ending,
      explain: life.oom.explain,
      maxProcesses: () => limits.processes,
    });
    const runner = { agent, first: launched.first };
    life.runners.add(runner);
    try {
      const { oneshot: _, ...plain } = spec;
      const timeoutMs = Math.max(1, spec.timeoutMs - (clock.monotonic() - began));
      return await agent.inFolder(folder).exec({ ...plain, timeoutMs });
    } finally {
      life.runners.delete(runner);
      agent.close();
    }
  } finally {
    ending.removeEventListener("abort", kill);
    launched.kill();
    await launched.ended;
  }
}
