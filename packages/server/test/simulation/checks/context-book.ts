import type { SessionEvent } from "@berth/contract";
import { deserialize, serialize } from "node:v8";
import type { ModelMessage } from "../../../src/models/model.ts";
import { root } from "../../../src/session/state.ts";
import { must } from "./violation.ts";

/** One thing that was said to a model or by it. */
interface Said {
  readonly seq: number;
  readonly kind: "user" | "summary" | "agent" | "call" | "result";
  /** What was said; of calls and results the id of the call. */
  readonly text: string;
  /** Of calls and results: the tool. */
  readonly name: string;
}

/** How each thing begins where it is written down for a summary. */
const openings: Readonly<Record<Said["kind"], string>> = {
  user: "USER: ",
  summary: "USER: ",
  agent: "AGENT: ",
  call: "AGENT CALLS ",
  result: "RESULT OF ",
};
const opening = /^(?=USER: |AGENT: |AGENT CALLS |RESULT OF )/m;

/** The conversations of one session by what its log says, worked out without the server's own state: what its models have to be shown. */
export class ContextBook {
  /** By namespace. */
  #said: Map<string, Said[]> = new Map([[root, []]]);
  /** What the summaries of the last commits stand for, by their seq. */
  readonly #replaced = new Map<number, readonly Said[]>();
  readonly #of: string;

  constructor(of: string) {
    this.#of = of;
  }

  /** True while a summary is what the session's own agent knows of the time before. */
  get isCompacted(): boolean {
    return this.#said.get(root)?.[0]?.kind === "summary";
  }

  /** `raw`: the log with this event. */
  note(event: SessionEvent, raw: readonly SessionEvent[]): void {
    if (event.type !== "session.rewound") return this.#note(event);
    this.#said = new Map([[root, []]]);
    for (const one of leftOf(raw)) this.#note(one);
  }

  /** Puts what it knows outside of the heap, until the returned function is called. */
  putAway(): () => void {
    const kept = serialize(this.#said);
    this.#said = new Map();
    return () => {
      this.#said = deserialize(kept) as Map<string, Said[]>;
    };
  }

  /** A model is called with this: all that was said in one of the conversations, once, and in order. True when a summary is in it. */
  shown(messages: readonly ModelMessage[]): boolean {
    const lines = messages.flatMap(linesOf);
    const found = [...this.#said.values()].find((said) => isShown(said, lines));
    must(found !== undefined, "context", () => {
      const expected = [...this.#said.values()].map((said) =>
        said.map(({ kind, text }) => `${kind} ${text}`),
      );
      return `a model of ${this.#of} is shown ${JSON.stringify(lines)}, not ${JSON.stringify(expected)}`;
    });
    return found[0]?.kind === "summary";
  }

  /** The summary of this seq was written by one who had been shown all that it stands for, and nothing else. */
  replacedBy(seq: number, shown: string): void {
    const replaced = this.#replaced.get(seq) ?? [];
    this.#replaced.clear();
    const blocks = shown.split(opening).slice(1);
    const isWhole =
      blocks.length === replaced.length && replaced.every((said, at) => isWritten(said, blocks[at] ?? ""));
    must(
      isWhole,
      "summary",
      () =>
        `the summary of ${this.#of} at ${seq} is of ${JSON.stringify(blocks)}, and replaces ${JSON.stringify(replaced)}`,
    );
  }

  #note(event: SessionEvent): void {
    const { seq, namespace } = event;
    switch (event.type) {
      case "user.message":
      case "system.message":
        return this.#say(root, { seq, kind: "user", text: textOf(event.data.content), name: "" });
      case "agent.message":
        return this.#say(namespace, { seq, kind: "agent", text: event.data.text, name: "" });
      case "agent.tool_use":
        return this.#say(namespace, {
          seq,
          kind: "call",
          text: event.data.toolUseId,
          name: event.data.name,
        });
      case "agent.tool_result":
        return this.#say(namespace, {
          seq,
          kind: "result",
          text: event.data.toolUseId,
          name: event.data.name,
        });
      case "subagent.started":
        this.#said.set(event.data.namespace, [{ seq, kind: "user", text: event.data.task, name: "" }]);
        return;
      case "subagent.finished":
        this.#said.delete(event.data.namespace);
        return;
      case "run.finished":
        this.#said = new Map([[root, this.#said.get(root) ?? []]]);
        return;
      case "context.compacted":
        return this.#compact(event);
      default:
    }
  }

  #say(namespace: string, said: Said): void {
    this.#said.get(namespace)?.push(said);
  }

  #compact({ seq, namespace, data }: SessionEvent<"context.compacted">): void {
    const { method, keptFromSeq, summary = "" } = data;
    if (method === "stub") return;
    const said = this.#said.get(namespace) ?? [];
    const before = said.filter((one) => one.seq < keptFromSeq);
    const after = said.filter((one) => one.seq >= keptFromSeq);
    must(
      before.some(({ kind }) => kind !== "summary") && after.length > 0,
      "summary",
      () => `the summary of ${this.#of} at ${seq} replaces nothing, or everything`,
    );
    const apart = after.find(
      ({ kind, text }) => kind === "result" && before.some((one) => one.kind === "call" && one.text === text),
    );
    must(
      apart === undefined,
      "summary",
      () => `the summary of ${this.#of} at ${seq} parts the call ${apart?.text} from its result`,
    );
    this.#replaced.set(seq, before);
    this.#said.set(namespace, [{ seq: keptFromSeq - 1, kind: "summary", text: summary, name: "" }, ...after]);
  }
}

/** What rewinds left of a log, worked out without the server's own way to do it. */
function leftOf(raw: readonly SessionEvent[]): readonly SessionEvent[] {
  const left: SessionEvent[] = [];
  for (const event of raw) {
    if (event.type === "session.rewound") while ((left.at(-1)?.seq ?? 0) > event.data.toSeq) left.pop();
    left.push(event);
  }
  return left;
}

function textOf(content: SessionEvent<"user.message">["data"]["content"]): string {
  if (typeof content === "string") return content;
  return content.map((part) => (part.type === "text" ? part.text : "")).join("\n");
}

/** What a model is shown, in the words of a book. */
function linesOf(message: ModelMessage): readonly string[] {
  if (message.role === "user")
    return [`user ${message.content.map((part) => (part.type === "text" ? part.text : "")).join("\n")}`];
  if (message.role === "tool") return message.results.map(({ id }) => `result ${id}`);
  return message.content.map((part) =>
    part.type === "tool_call" ? `call ${part.id}` : `agent ${part.text}`,
  );
}

function isShown(said: readonly Said[], lines: readonly string[]): boolean {
  if (said.length !== lines.length) return false;
  return said.every(({ kind, text }, at) => {
    const line = lines[at] ?? "";
    // The application's messages and summaries have a heading.
    if (kind === "user" || kind === "summary") return line.startsWith("user ") && line.endsWith(text);
    return line === `${kind} ${text}`;
  });
}

function isWritten({ kind, text, name }: Said, block: string): boolean {
  const begins = block.startsWith(`${openings[kind]}${name}`);
  return begins && (name !== "" || block.trimEnd().endsWith(text.trimEnd()));
}
