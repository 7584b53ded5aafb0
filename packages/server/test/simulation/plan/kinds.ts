import type { ActionKind } from "./action.ts";
import type { FaultKind } from "./fault.ts";

const faultKinds: Readonly<Record<FaultKind, true>> = {
  "crash-before": true,
  "crash-in-flight": true,
  "crash-after": true,
  "fail-before": true,
  "fail-after": true,
  "slow-call": true,
  "late-answer": true,
  freeze: true,
  pause: true,
  "deaf-heart": true,
  "clock-jump": true,
  "store-clock-jump": true,
  lossy: true,
  doubling: true,
  laggy: true,
  "slow-commits": true,
  "store-down": true,
  "model-error": true,
  "model-cut": true,
  "model-hang": true,
  "model-slow": true,
  "model-retry": true,
  "tool-throws": true,
  "tool-fails": true,
  "tool-hangs": true,
  "tool-slow": true,
  drain: true,
  "restart-all": true,
  evict: true,
  cleanup: true,
  prune: true,
  sweep: true,
  cut: true,
  "slow-reader": true,
};

const actionKinds: Readonly<Record<Exclude<ActionKind, "say">, true>> = {
  create: true,
  interrupt: true,
  fork: true,
  rewind: true,
  retry: true,
  archive: true,
  unarchive: true,
  delete: true,
  rename: true,
  upload: true,
  remark: true,
  edition: true,
  budget: true,
};

const busy = ["enqueue", "steer", "interrupt", "reject", "rollback"].map((onBusy) => `say ${onBusy}`);
const more = [...busy, "allow", "deny", "edit", "tool result", "raise"];
const onTheWire = ["lost", "doubled", "delayed"].flatMap((fate) =>
  ["frame", "wake-up", "question"].map((what) => `${fate} ${what}`),
);

const summaries = [
  "context compacted by summary",
  "a model is shown a summary",
  "clients act amid a summary",
  "summary ended with its run",
  "summary lost with its holder",
  "summary over its budget",
  "rewound over a summary",
  "forked behind a summary",
  ...["cut", "error", "retry"].map((what) => `model-${what} of a summary`),
];

/** What a run of many seeds must have shown, and has not. */
export function missingKinds(counts: ReadonlyMap<string, number>): readonly string[] {
  const wanted = [
    ...Object.keys(faultKinds),
    ...[...Object.keys(actionKinds), ...more].map((kind) => `action ${kind}`),
    ...onTheWire,
    ...summaries,
    "client repeats",
    "edition of helper",
    "edition of main",
    "hibernates while it waits",
    "woken from waiting",
    "reader is slow",
    "stopped amid a run",
    "stopped amid a beginning",
  ];
  return wanted.filter((kind) => !counts.has(kind));
}
