import type { Block, Change, MessageBlock, RunBlock, TextBlock, Todo } from "@berth/client";
import { advised } from "../advice.ts";
import type { Printer } from "../terminal/io.ts";
import { oneLine, safeText } from "../terminal/safe-text.ts";
import { createTextStream } from "./text-stream.ts";
import { createToolLines } from "./tool-lines.ts";

/** Writes a conversation as it happens. */
export interface Renderer {
  show(changes: readonly Change[]): void;
  todos(todos: readonly Todo[]): void;
  /** A line of the program itself. */
  line(text: string): void;
  /** Closes what is half written. */
  end(): void;
}

export interface RendererOptions {
  /** False: not what the user said, because they have just typed it. */
  readonly messages?: boolean;
  /** Everything goes to standard output, thinking too: what is written is itself what was asked for. */
  readonly whole?: boolean;
  /** What stands before each line: where in the log it is. */
  readonly mark?: () => string;
}

/**
 * The agent's text streams to standard output. Everything else is whole lines, which wait while a text is half written; without
 * a terminal they go to standard error, and thinking is left out, unless `whole` is asked for.
 */
export function createRenderer(
  printer: Printer,
  { messages = true, whole = false, mark = () => "" }: RendererOptions = {},
): Renderer {
  const showsAll = whole || printer.interactive;
  let waiting: string[] = [];
  const tools = createToolLines(printer);
  const flush = () => {
    const lines = waiting;
    waiting = [];
    for (const line of lines) write(line);
  };
  const stream = createTextStream(printer, flush);

  function put(line: string): void {
    write(`${mark()}${line}`);
  }
  function write(line: string): void {
    if (stream.key !== null) waiting.push(line);
    else if (showsAll) printer.out(`${line}\n`);
    else printer.err(`${line}\n`);
  }

  function showText(block: TextBlock): void {
    if (block.kind === "thinking" && !showsAll) return;
    const streams = block.namespace === "" && (stream.key === null || stream.key === block.key);
    if (streams) stream.show(block, mark());
    else if (block.done && block.text !== "")
      put(
        indented(
          block,
          block.kind === "thinking" ? printer.style("dim", safeText(block.text)) : safeText(block.text),
        ),
      );
  }

  function showBlock(block: Block, before: Block | null): void {
    switch (block.kind) {
      case "text":
      case "thinking":
        return showText(block);
      case "tool":
        return tools.of(block).forEach((line) => put(indented(block, line)));
      case "message":
        return messages && before === null ? put(printer.style("bold", `> ${textOf(block)}`)) : undefined;
      case "subagent":
        return put(indented(block, subagentLine(block)));
      case "run":
        return block.reason === "end_turn" ? undefined : put(printer.style("red", runLine(block)));
      case "notice":
        return put(
          indented(block, printer.style(block.level === "error" ? "red" : "dim", safeText(block.text))),
        );
    }
  }

  return {
    show(changes) {
      for (const change of changes) {
        if (change.type !== "removed")
          showBlock(change.block, change.type === "changed" ? change.before : null);
        else if (change.block.key === stream.key) stream.drop();
      }
    },
    todos(todos) {
      for (const { status, content } of todos)
        put(`  ${todoMarks[status]} ${oneLine(content, printer.width - 6)}`);
    },
    line: (text) => put(printer.style("dim", text)),
    end: () => stream.drop(),
  };
}

const todoMarks: Readonly<Record<Todo["status"], string>> = {
  pending: "☐",
  in_progress: "▶",
  completed: "☑",
  cancelled: "☒",
};

function indented(block: Block, text: string): string {
  if (block.namespace === "") return text;
  const indent = "  ".repeat(block.namespace.split("/").length);
  return indent + text.replaceAll("\n", `\n${indent}`);
}

function textOf({ content }: MessageBlock): string {
  if (typeof content === "string") return safeText(content);
  return safeText(content.map((part) => (part.type === "text" ? part.text : `[${part.type}]`)).join(" "));
}

function subagentLine(block: Extract<Block, { kind: "subagent" }>): string {
  const name = oneLine(block.child, 100);
  if (block.reason === null) return `▸ ${name}: ${oneLine(block.task, 200)}`;
  return `◂ ${name} ${block.reason === "end_turn" ? "is done" : `ended: ${block.reason}`}`;
}

function runLine({ reason, error }: RunBlock): string {
  if (reason === "interrupted") return "Interrupted.";
  return `The run ended: ${reason}${error === null ? "" : `. ${advised(error.message)}`}`;
}
