import { byteSize, duration, integer, list, text } from "../setting-kinds.ts";
import { optional } from "../setting.ts";

export const workerSettings = {
  workerConcurrency: integer({
    default: 64,
    min: 1,
    max: 10_000,
    help: "How many sessions run at once in this process.",
  }),
  lease: duration({
    default: "6s",
    min: "1s",
    max: "5m",
    help: "How long a worker that says nothing counts as alive. Its sessions are taken over after that.",
  }),
  mailboxPoll: duration({
    default: "500ms",
    min: "10ms",
    max: "10s",
    help: "How often a worker looks into the mailboxes of the sessions that it holds.",
  }),
  sweepInterval: duration({
    default: "5s",
    min: "100ms",
    max: "10m",
    help: "How often the store is searched for lost wake-ups, due timers and dead workers.",
  }),
  snapshotEvery: integer({
    default: 200,
    min: 1,
    max: 100_000,
    help: "After how many events a session's state is stored, so that opening it does not read the whole log.",
  }),
  activationMaxSessions: integer({
    default: 100,
    min: 1,
    max: 1_000_000,
    help: "How many sessions are kept in memory.",
  }),
  activationMemoryLimit: byteSize({
    default: "512MiB",
    min: "16MiB",
    max: "1024GiB",
    help: "Memory of the process (heap, external, array buffers) at whose 80 % sessions are put out.",
  }),
  activationCheckInterval: duration({
    default: "30s",
    min: "10ms",
    max: "1h",
    help: "How often that memory is measured.",
  }),
  activationIdleTtl: duration({
    default: "1h",
    min: "1s",
    max: "30d",
    help: "After how long without use a session is put out of memory.",
  }),
} as const;

export const runSettings = {
  defaultModel: optional(
    text({
      default: "",
      type: "model as provider/model",
      pattern: /^[^/\s]+\/\S+$/,
      help: "The model that is used where none is named. Without it the first one found, or the built-in `demo/tour`.",
    }),
  ),
  clientToolTimeout: duration({
    default: "24h",
    min: "1s",
    max: "30d",
    help: "How long a run waits for the result of a tool that the caller runs.",
  }),
  fetchAllow: list({
    default: [],
    each: /^[A-Za-z0-9.:[\]-]{1,253}(?:\/\d{1,3})?$/,
    what: "host names, addresses or networks",
    help: "Private places that `web_fetch` may reach all the same, such as `10.0.0.0/8` or `wiki.internal`.",
  }),
  sandboxEnv: list({
    default: ["PATH", "LANG", "LC_ALL", "TZ", "TERM"],
    each: /^[A-Za-z_][A-Za-z0-9_]*$/,
    what: "variable names",
    help: "The only environment variables of the server that commands of agents see. Names of secrets are refused.",
  }),
} as const;
