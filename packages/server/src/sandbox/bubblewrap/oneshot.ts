import type { ExecResult, ExecSpec } from "../sandbox.ts";
import { type Life, startBubblewrap, type Surroundings, visibleWorkspace } from "./life.ts";
import { meetAgent } from "./meet-agent.ts";

/**
 * Runs one command in a sandbox of its own with the workspace, user, limits and network of a living one. When it ends, everything
 * that it started ends with it. It shares the living one's control group, so both together stay below its limits.
 */
export async function runOneshot(
  surroundings: Surroundings,
  { life, folder, spec, ending }: { life: Life; folder: string; spec: ExecSpec; ending: AbortSignal },
): Promise<ExecResult> {
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
    try {
      const { oneshot: _, ...plain } = spec;
      const timeoutMs = Math.max(1, spec.timeoutMs - (clock.monotonic() - began));
      return await agent.inFolder(folder).exec({ ...plain, timeoutMs });
    } finally {
      agent.close();
    }
  } finally {
    ending.removeEventListener("abort", kill);
    launched.kill();
    await launched.ended;
  }
}
