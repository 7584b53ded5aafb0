import type { ModelMessage, ModelRequest, ModelToolResult } from "../model.ts";
import { answersSince, lastUserMessage, textOf } from "./conversation.ts";
import type { ScriptStep, ScriptTurn } from "./script.ts";

const file = "harbour.md";
const note = `# A berth\n\nA berth is a place where a ship lies safe, whatever the weather does.\nYour sessions lie here in the same way.\n`;
const command = `wc -w ${file} && date`;

const tasks = ["Write a note into the workspace", "Count its words in the shell", "Read it back"];

const setUp = [
  "Give Berth a real model by setting OPENAI_API_KEY or ANTHROPIC_API_KEY (or OPENAI_BASE_URL, for a server of your own)",
  "and starting it again; Ollama on this machine is found by itself. `berth doctor` shows what was found.",
].join(" ");

/** Words come as fast as a person reads. */
function say(text: string): ScriptStep {
  return { text, chunk: "word", delayMs: 28 };
}

function todos(done: number): ScriptStep {
  const status = (index: number) => (index < done ? "completed" : index === done ? "in_progress" : "pending");
  const list = tasks.map((content, index) => ({ id: String(index + 1), content, status: status(index) }));
  return { tool: "todo_write", input: { todos: list } };
}

/** A step of the tour: what it says and calls, given the results of the step before. */
type Stage = (results: readonly ModelToolResult[]) => ScriptTurn;

const intro =
  "I am Berth's demo model: a script, not a language model, because no model provider is set up yet. " +
  "What you see around me is real: this session's log, the tools, the approval that I will ask you for.\n\n";

const stages: readonly Stage[] = [
  () => [say("Let me show you. First I plan.\n"), todos(0)],
  () => [
    say(`I write a file into this session's workspace.\n`),
    { tool: "fs_write", input: { path: file, content: note } },
  ],
  () => [
    say(
      "Now a shell command. Where the agent asks for approval, the run stops here, for days if need be, and even if the " +
        "server is killed and started again: allow it, change it or deny it.\n",
    ),
    todos(1),
    { tool: "bash_run", input: { command } },
  ],
  (results) => [
    say(toldOfShell(results.find(({ name }) => name === "bash_run"))),
    { tool: "fs_read", input: { path: file } },
    todos(tasks.length),
  ],
  () => [
    say(
      "That was the tour. Each step of it is an event in an append-only log with numbers that have no gap: close this " +
        "window, kill the server, come back, and the conversation goes on from the last event. You can fork it at any " +
        `event, rewind it, or export it.\n\n${setUp}`,
    ),
  ],
];

function toldOfShell(result: ModelToolResult | undefined): string {
  if (result === undefined) return "I read the file back.\n";
  if (result.ok) return `The command ran, and its output is in the log. I read the file back.\n`;
  return "The command was not run, and I was told why: a denial and its note go to the model like any other result. I read the file back.\n";
}

/** On a server that runs no tool unisolated and has nothing that isolates, the tour ends at its first file. */
const withoutSandbox =
  "The file was refused: this server runs tools only where they are isolated, and no sandbox that isolates is configured here yet. " +
  `The refusal is in the log like any other result, and so is the plan that I made, which needed no sandbox.\n\n${setUp}`;

function hasNoSandbox({ ok, content }: ModelToolResult): boolean {
  return (
    !ok && (typeof content === "string" ? content : JSON.stringify(content)).includes("sandbox_unavailable")
  );
}

const applicationMessage = "[A message from the application";
const summaryRequest = "Summarize this conversation:";

/**
 * What the model `demo/tour` does. The first message of a conversation starts the tour, later ones do when they ask for it.
 * As with every scripted model the answer follows from the request alone.
 */
export function tourTurn({ messages, tools }: ModelRequest): ScriptTurn {
  const asked = lastUserMessage(messages, isFromUser);
  const message = messages[asked];
  const said = message?.role === "user" ? textOf(message.content) : "";
  if (said.startsWith(summaryRequest)) return [{ text: "The user took the tour of Berth's demo model." }];
  if (!isFirst(messages, asked) && !/\b(tour|demo|again|show)\b/i.test(said)) return [say(answerTo(said))];
  const offered = new Set(tools.map(({ name }) => name));
  const results = messages.slice(asked + 1).findLast((one) => one.role === "tool")?.results ?? [];
  const turns = stages.map((stage) => only(stage(results), offered)).filter((turn) => turn !== null);
  const answers = answersSince(messages, asked);
  if (results.some(hasNoSandbox)) return [say(withoutSandbox)];
  const turn = turns[answers] ?? [say(setUp)];
  return answers === 0 ? [say(intro), ...turn] : turn;
}

function isFromUser(text: string): boolean {
  return !text.startsWith(applicationMessage);
}

function isFirst(messages: readonly ModelMessage[], asked: number): boolean {
  return lastUserMessage(messages.slice(0, asked), isFromUser) === -1;
}

/** A step without the tools that this agent does not have; null when nothing is left of it to do. The last one stays. */
function only(turn: ScriptTurn, offered: ReadonlySet<string>): ScriptTurn | null {
  if (!turn.some((step) => "tool" in step)) return turn;
  const kept = turn.filter((step) => !("tool" in step) || offered.has(step.tool));
  const main = turn.findLast((step) => "tool" in step && step.tool !== "todo_write") ?? turn.at(-1);
  return main !== undefined && kept.includes(main) ? kept : null;
}

function answerTo(said: string): string {
  if (/^\s*(hi|hello|hey|good (morning|evening|day))\b/i.test(said))
    return `Hello! I am only the demo model. ${setUp}`;
  if (/\b(thanks|thank you|great|nice|cool)\b/i.test(said)) return `You are welcome. ${setUp}`;
  if (/\b(key|model|provider|openai|anthropic|ollama|set ?up)\b/i.test(said)) return setUp;
  return `I am the demo model and know nothing but my tour, so I cannot answer that. ${setUp} Say "tour" to see the tour again.`;
}
