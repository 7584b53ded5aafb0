import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";

type Stop = () => Promise<unknown>;

/**
 * Makes a folder for a bench's files. The bench removes it at its end; when it is interrupted (Ctrl-C, SIGTERM) the folder goes too,
 * after what is in `stops` by then, the last first. Servers started with `startBerth` need no stop: they end with their bench.
 */
export function makeFolder(
  dir: string,
  { prefix = "berth-bench-", stops = [] }: { prefix?: string; stops?: readonly Stop[] } = {},
): string {
  const folder = mkdtempSync(join(dir, prefix));
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  let ending = false;
  // A Ctrl-C comes twice, from the terminal and from npm: a listener for one would leave the second to end the process at once.
  const end = (code: number) => () => {
    if (ending) return;
    ending = true;
    // What breaks from here on breaks because of this.
    process.on("uncaughtException", () => {});
    void stopAll(stops.toReversed()).finally(() => {
      // After the servers, which other listeners of the exit end.
      process.once("exit", remove);
      process.exit(code);
    });
  };
  process.on("SIGINT", end(130)).on("SIGTERM", end(143));
  return folder;
}

/** Each has its turn, whatever became of those before it. */
async function stopAll(stops: readonly Stop[]): Promise<void> {
  for (const stop of stops)
    await stop().catch((error: unknown) => console.error(`while stopping: ${String(error)}`));
}
