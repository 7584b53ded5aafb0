import type { Clock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import { type AgentClient, type AgentOptions, connectAgent } from "./agent-client.ts";
import { searchPath } from "./arguments.ts";
import type { Launched } from "./launch.ts";

/** All that commands see of an environment, besides their own and the proxy's. */
const environment = {
  HOME: "/workspace",
  PATH: searchPath,
  LANG: "C.UTF-8",
  TMPDIR: "/tmp",
  USER: "user",
} as const;

export interface Meeting extends Required<Pick<AgentOptions, "explain" | "maxProcesses">> {
  readonly clock: Clock;
  readonly launched: Launched;
  readonly signal: AbortSignal | undefined;
}

/** The agent of a sandbox that was let go. Rejects with `sandbox_unavailable` when it does not come up. */
export async function meetAgent({ clock, launched, signal, ...options }: Meeting): Promise<AgentClient> {
  const abort = () => launched.kill();
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const { stdin, stdout } = launched;
    return await connectAgent({ input: stdin, output: stdout, clock, environment, proxy: true, ...options });
  } catch (thrown) {
    launched.kill();
    await launched.ended;
    signal?.throwIfAborted();
    throw new BerthError(
      "sandbox_unavailable",
      "The sandbox was made, but the program in it does not answer; `berth doctor` says what this machine lacks.",
      { cause: new Error(launched.errors().trim(), { cause: thrown }) },
    );
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}
