import type { KillLoopReport } from "./kill-loop.ts";

/** What happened in a kill loop, for people. */
export function tableOf({ fates, done, logs, world, errors }: KillLoopReport): readonly string[] {
  const { ledger, followers, keeper } = world;
  const events = [...logs.values()].reduce((sum, { log }) => sum + log.length, 0);
  const connections = followers.reduce((sum, each) => sum + each.connections, 0);
  const seen = followers.reduce((sum, each) => sum + each.seen.length, 0);
  const starts = keeper.starts.toSorted((a, b) => a - b);
  const median = Math.round(starts[Math.floor(starts.length / 2)] ?? 0);
  const named = [...fates.hits].map(([name, hits]) => `  ${name.padEnd(38)}${String(hits).padStart(4)}`);
  const did = [...done].toSorted(([, a], [, b]) => b - a).map(([name, times]) => `${name} ${times}`);
  return [
    "hits of each failpoint",
    ...named,
    `  ${"at random moments".padEnd(38)}${String(fates.randomKills).padStart(4)}`,
    `${fates.deaths} kills, ready again after ${median} ms (median)`,
    `${logs.size} sessions with ${events} events; ${ledger.accepted.length} inputs accepted in ${ledger.requests} requests, ${ledger.repeated} of them repeated because their reply was lost`,
    `${followers.length} followers saw ${seen} events over ${connections} connections`,
    `done: ${did.join(", ")}`,
    ...(errors.length === 0
      ? []
      : ["the servers logged errors", ...errors.slice(0, 12).map((line) => `  ${line}`)]),
  ];
}
