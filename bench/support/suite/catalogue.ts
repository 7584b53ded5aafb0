/** What `npm run bench` says of a bench, and how it is run among the others. */
export interface Listed {
  /** Of the table of targets: T1, T2, …; none for what explains or guards another figure. */
  readonly targets: readonly string[];
  readonly what: string;
  /** On two cores with nothing beside it. */
  readonly minutes: number;
  /** It is on the figures page: `all` runs it. */
  readonly figures: boolean;
  /** The same with peers, where they can take part. */
  readonly peersMinutes?: number;
  /** Sizes of a run that shows that it works and nothing else: `--quick`. */
  readonly quick: Readonly<Record<string, number>>;
}

/** Every file of bench/, in the order in which `all` runs them: what goes on slowly first, what needs a full disk last. */
export const catalogue: Readonly<Record<string, Listed>> = {
  turns: {
    targets: ["T1", "T1b", "T2", "T4"],
    what: "turns a second and the time to the first text, beside a relay that commits each turn, and peers",
    minutes: 4,
    figures: true,
    peersMinutes: 12,
    quick: { rounds: 1, seconds: 0.3, "warm-up": 0.3 },
  },
  tokens: {
    targets: ["T3"],
    what: "CPU for each token from the model to a client, at 1, 64 and 512 answers at once, beside fetch, parse and write",
    minutes: 4,
    figures: true,
    quick: { rounds: 1, tokens: 50, most: 64 },
  },
  "model-stream": {
    targets: [],
    what: "the model's side of T3: CPU for each token of reading a model's stream, beside fetch and parse",
    minutes: 2,
    figures: true,
    quick: { rounds: 1, tokens: 50, answers: 64 },
  },
  history: {
    targets: ["T5"],
    what: "what a turn costs as its session grows to 4,000 turns, beside a relay that keeps the conversation",
    minutes: 1,
    figures: true,
    quick: { turns: 40, block: 10, sessions: 2 },
  },
  memory: {
    targets: ["T6"],
    what: "memory of each of 10,000 sessions, live and put out, beside plain objects, and whether the cache measured it",
    minutes: 4,
    figures: true,
    quick: { sessions: 200, rest: 1 },
  },
  activate: {
    targets: ["T7"],
    what: "how long a new process takes to open a session of 200 and of 4,000 messages, beside reading its rows",
    minutes: 1,
    figures: true,
    quick: { rounds: 1, short: 20, long: 40, sessions: 2, tail: 2 },
  },
  sse: {
    targets: ["T8"],
    what: "memory of 1,000 idle clients and one event to all of them, beside node:http",
    minutes: 1,
    figures: true,
    quick: { rounds: 1, clients: 100, events: 20 },
  },
  appends: {
    targets: ["T9"],
    what: "durable appends a second of 64 sessions, beside a bare group-commit loop",
    minutes: 1,
    figures: true,
    quick: { rounds: 1, seconds: 0.3 },
  },
  sandboxes: {
    targets: ["T14"],
    what: "how long a session waits for a sandbox and a command in it, beside plain processes and files",
    minutes: 2,
    figures: true,
    quick: { rounds: 1, execs: 20, many: 4 },
  },
  start: {
    targets: ["T15"],
    what: "how long a start takes until the server is ready, and its memory at rest, beside a bare node:http",
    minutes: 5,
    figures: true,
    quick: { rounds: 1, rest: 1 },
  },
  stored: {
    targets: ["T16"],
    what: "list, open and append with 1,000,000 stored sessions, beside 1,000",
    minutes: 2,
    figures: true,
    quick: { rounds: 1, many: 5_000, requests: 100, turns: 32 },
  },
  auth: {
    targets: [],
    what: "CPU of a request by API key and by JWT in mode multi, beside mode single",
    minutes: 1,
    figures: true,
    quick: { rounds: 1, requests: 200 },
  },
  orgs: {
    targets: [],
    what: "requests on a server with 1,000 organizations, beside one organization",
    minutes: 3,
    figures: true,
    quick: { rounds: 1, orgs: 10, users: 10, requests: 100 },
  },
  soak: {
    targets: [],
    what: "a server under load for half an hour: whether memory, handles, timers and files stay flat; npm run soak",
    minutes: 32,
    figures: false,
    quick: { minutes: 1, every: 5 },
  },
};

/** The list of the benches for people. */
export function listed(): string {
  const all = Object.entries(catalogue);
  const lines = all.map(([name, { targets, what, minutes }]) => {
    const ids = targets.length === 0 ? "" : ` (${targets.join(", ")})`;
    return `  ${name.padEnd(13)} ${String(minutes).padStart(3)} min  ${what}${ids}`;
  });
  const minutes = all.reduce((sum, [, one]) => sum + (one.figures ? one.minutes : 0), 0);
  return [
    "npm run bench -- NAME [options]; --json FILE writes the result there too, --dir FOLDER says where its files are",
    ...lines,
    `npm run bench -- all --out FOLDER [--peers] [--quick]    all but soak, one after another: about ${minutes} min, more with peers`,
    "npm run bench -- report FOLDER [--write]                 their results as Markdown, or into bench/RESULTS.md",
  ].join("\n");
}
