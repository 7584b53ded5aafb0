import { createActions } from "./context.ts";
import { failureOf } from "./exit.ts";
import { createProgram } from "./program.ts";
import { type Io, processIo } from "./terminal/io.ts";

/**
 * Runs one command of the command line; `argv` is what stands after `berth`. Resolves with the process's exit code: 0 done,
 * 1 failed, 2 wrong usage, 3 no server, 130 interrupted.
 */
export async function runCli(argv: readonly string[], io: Io = processIo()): Promise<number> {
  const actions = createActions(io);
  const program = createProgram(actions, io);
  try {
    await program.parseAsync([...argv], { from: "user" });
    return actions.exitCode();
  } catch (thrown) {
    const { exitCode, ...failure } = failureOf(thrown);
    if (failure.message !== "") {
      const asJson = argv.includes("--json");
      io.stderr.write(asJson ? `${JSON.stringify({ error: failure })}\n` : `berth: ${failure.message}\n`);
    }
    return exitCode;
  }
}
