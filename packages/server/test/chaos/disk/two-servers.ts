import { join } from "node:path";
import { lastLines, startServer, StartError } from "../../support/server/server-process.ts";
import type { Checklist } from "../checklist.ts";
import type { Rig } from "../kill-loop/rig.ts";
import { repository } from "../repository.ts";

const lockRules = {
  refused: "a second server on a data folder ends with an error, and says who holds it",
  unharmed: "the first server does not notice the second",
  free: "after a kill -9 the next server gets the folder at once",
} as const;

/** Longer than a start takes, shorter than any lease could. */
const atOnceMs = 15_000;

export async function twoServers(rig: Rig, checklist: Checklist): Promise<void> {
  const options = { ...rig, root: repository };
  const first = await startServer(options).ready;
  const logFile = join(rig.folder, "second.log");
  const second = startServer({ ...options, logFile });
  const refusal = await second.ready.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  const code = refusal instanceof StartError ? refusal.exit?.code : null;
  const said = lastLines(logFile);
  checklist.check(
    lockRules.refused,
    typeof code === "number" && code !== 0,
    () => `it ended with ${code}: ${said}`,
  );
  const names = said.includes(String(first.pid)) && said.includes(first.url);
  checklist.check(lockRules.refused, names, () => `it does not name ${first.pid} at ${first.url}: ${said}`);
  await second.end("SIGKILL");
  const answer = await fetch(`${first.url}/readyz`).then(
    ({ status }) => status,
    () => 0,
  );
  checklist.check(lockRules.unharmed, answer === 200, () => `/readyz gives ${answer}`);
  await first.end("SIGKILL");
  const started = performance.now();
  const third = startServer({ ...options, startMs: atOnceMs });
  const failure = await third.ready.then(
    () => null,
    (thrown: unknown) => String(thrown),
  );
  const ms = Math.round(performance.now() - started);
  checklist.check(lockRules.free, failure === null, () => `after ${ms} ms: ${failure}`);
  await third.end("SIGTERM");
}
