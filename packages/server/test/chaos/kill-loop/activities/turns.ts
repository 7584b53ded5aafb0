import { prose, quickText, slowText, type Step, thinking, type Turn } from "../script.ts";
import type { Talk } from "../talk.ts";
import { type Activity, scripted } from "./activity.ts";

const plain: Activity = {
  name: "plain turn",
  weight: 3,
  async run(talk) {
    const { random } = talk;
    const first = random.chance(0.4) ? [thinking(random), quickText(random)] : [quickText(random)];
    await talk.turn([random.chance(0.3) ? [slowText(random, random.int(50, 400))] : first]);
  },
};

/** A model over HTTP writes something else at each attempt: a text put together from two attempts would show. */
const nonce: Activity = {
  name: "turn of a real endpoint",
  weight: 8,
  kinds: ["mocked"],
  reaches: ["runtime.model-streaming", "runtime.model-finished", "runtime.before-model"],
  async run(talk) {
    await talk.turn([]);
  },
};

function fileStep({ random, world }: Talk): Step {
  const path = `notes/${random.int(1, 6)}.txt`;
  return { tool: "fs_write", input: { path, content: world.ledger.word("content") } };
}

function todoStep({ random, world }: Talk): Step {
  const todos = Array.from({ length: random.int(1, 4) }, (_, index) => ({
    id: `t${index}`,
    content: world.ledger.word("todo"),
    status: index === 0 ? "in_progress" : "pending",
  }));
  return { tool: "todo_write", input: { todos } };
}

/** Calls of every effect side by side. */
function mixedTurn(talk: Talk): Turn {
  const { random, world } = talk;
  const steps: Step[] = [
    fileStep(talk),
    { tool: "fs_read", input: { path: `notes/${random.int(1, 6)}.txt` } },
    world.once.call(),
    todoStep(talk),
    { tool: "fs_glob", input: { pattern: "**/*" } },
    world.once.call(random.chance(0.5) ? "sleep 0.1" : ""),
  ];
  return [quickText(random), ...steps.filter(() => random.chance(0.7))];
}

const parallelTools: Activity = {
  name: "parallel tools",
  weight: 5,
  reaches: ["runtime.before-manifest", "blob.before-write", "blob.before-rename", "blob.after-rename"],
  async run(talk) {
    const turns = Array.from({ length: talk.random.int(1, 3) }, () => mixedTurn(talk));
    await talk.turn([...turns, [quickText(talk.random)]]);
  },
};

/** Commands that are slow enough to be killed in their middle. */
const slowCommands: Activity = {
  name: "slow commands",
  weight: 4,
  reaches: ["runtime.before-tool", "tool.effect-done", "runtime.tool-done", "runtime.recovered"],
  async run(talk) {
    const { random, world } = talk;
    const one = () => world.once.call(`sleep 0.${random.int(1, 5)}; echo done`);
    await talk.turn([[one()], [one(), one()], [quickText(random)]]);
  },
};

/** Processes that go on after their call, and must not outlive their server's successor. */
const background: Activity = {
  name: "background commands",
  weight: 2,
  reaches: ["tool.effect-done"],
  async run(talk) {
    const { random, world } = talk;
    const { command } = world.once.command("sleep 60");
    await talk.turn([[{ tool: "bash_run", input: { command, background: true } }], [quickText(random)]]);
  },
};

const bigOutput: Activity = {
  name: "big output",
  weight: 1,
  reaches: ["blob.before-write", "blob.before-rename", "blob.after-rename"],
  async run(talk) {
    const { random, world } = talk;
    const name = world.ledger.word("");
    const command = `yes ${name} | head -c ${random.int(40_000, 200_000)}`;
    await talk.turn([[{ tool: "bash_run", input: { command } }], [quickText(random)]]);
  },
};

const delegation: Activity = {
  name: "two sub-agents",
  weight: 4,
  reaches: ["runtime.subagent-started"],
  async run(talk) {
    const { random, world } = talk;
    const task = (): Step => {
      const turns = [
        [quickText(random), world.once.call("sleep 0.05"), fileStep(talk)],
        [slowText(random, 150)],
      ];
      return { tool: "delegate", input: { agent: "helper", task: JSON.stringify({ script: turns }) } };
    };
    const steps = random.chance(0.7) ? [task(), task()] : [task(), world.once.call(), task()];
    await talk.turn([steps, [quickText(random)]]);
  },
};

const clientTool: Activity = {
  name: "tools of the caller",
  weight: 3,
  reaches: ["store.timers.after-commit"],
  async run(talk) {
    const { random } = talk;
    const ask = (name: string): Step => ({ tool: name, input: { question: prose(random, 4) } });
    const vain = random.chance(0.4) ? [ask("ask_in_vain")] : [];
    await talk.turn([
      [ask("ask_caller"), ...vain],
      [ask("ask_caller"), ask("ask_caller")],
      [quickText(random)],
    ]);
  },
};

const approvals: Activity = {
  name: "approvals",
  weight: 6,
  kinds: ["careful", "hasty"],
  reaches: ["runtime.approval-requested", "store.timers.after-commit"],
  async run(talk) {
    const { random, world } = talk;
    const turn = (): Turn => [
      world.once.call(),
      fileStep(talk),
      ...(random.chance(0.5) ? [world.once.call()] : []),
    ];
    await talk.turn([turn(), turn(), [quickText(random)]]);
  },
};

/** Fills a small context until it is compacted. */
const compaction: Activity = {
  name: "compaction",
  weight: 8,
  kinds: ["narrow"],
  reaches: ["runtime.compacted", "store.snapshot.after-commit"],
  async run(talk) {
    const { random, world } = talk;
    const wall = (): Step => ({ text: prose(random, 400), chunk: 200 });
    await talk.turn([[wall(), world.once.call()], [wall(), fileStep(talk)], [wall()]]);
    await talk.turn([[wall()]]);
  },
};

/** What models get wrong: unknown tools, arguments that are no JSON or do not fit. */
const nonsense: Activity = {
  name: "wrong calls",
  weight: 1,
  async run(talk) {
    const { random } = talk;
    const wrong: readonly Step[] = [
      { tool: "no_such_tool", input: { a: 1 } },
      { tool: "fs_write", raw: '{"path": "x' },
      { tool: "bash_run", input: { cmd: "true" } },
      { tool: "delegate", input: { agent: "nobody", task: "x" } },
    ];
    await talk.turn([wrong.filter(() => random.chance(0.6)), [quickText(random)]]);
  },
};

export const turnActivities: readonly Activity[] = [
  plain,
  nonce,
  parallelTools,
  slowCommands,
  background,
  bigOutput,
  delegation,
  clientTool,
  approvals,
  compaction,
  nonsense,
].map((activity) => ({ kinds: scripted, ...activity }));
