import type { ToolBlock } from "@berth/client";
import type { Printer } from "../terminal/io.ts";
import { oneLine } from "../terminal/safe-text.ts";

/** Lines of progress that are shown of one call; more would bury the conversation. */
const shownProgress = 20;

/** The list that it writes is shown by itself, once. */
const todoTool = "todo_write";

/** A tool call as lines: one when it is known, some while it runs, one with its result. */
export interface ToolLines {
  /** The lines that this state of the call adds. */
  of(block: ToolBlock): readonly string[];
}

interface Shown {
  announced: boolean;
  waiting: string | null;
  progressTo: number;
  progressLines: number;
  finished: boolean;
}

export function createToolLines(printer: Printer): ToolLines {
  const calls = new Map<string, Shown>();

  function progressLines(block: ToolBlock, shown: Shown): string[] {
    const from = Math.max(0, shown.progressTo - block.progressFrom);
    const end = block.progress.lastIndexOf("\n") + 1;
    if (end <= from) return [];
    shown.progressTo = block.progressFrom + end;
    const lines = block.progress.slice(from, end).split("\n").slice(0, -1);
    const room = Math.max(0, shownProgress - shown.progressLines);
    shown.progressLines += lines.length;
    const cut = room > 0 && lines.length > room ? ["  │ …"] : [];
    return [...lines.slice(0, room).map((line) => `  │ ${oneLine(line, printer.width - 8)}`), ...cut].map(
      (line) => printer.style("dim", line),
    );
  }

  return {
    of(block) {
      if (block.state === "writing") return [];
      const shown = calls.get(block.key) ?? {
        announced: false,
        waiting: null,
        progressTo: 0,
        progressLines: 0,
        finished: false,
      };
      calls.set(block.key, shown);
      const lines: string[] = [];
      if (!shown.announced) lines.push(callLine(printer, block));
      shown.announced = true;
      const waiting = waitingFor(block);
      if (waiting !== null && waiting !== shown.waiting) lines.push(printer.style("yellow", `  ${waiting}`));
      shown.waiting = waiting;
      // A tool that starts anew reports from the beginning.
      if (block.progressFrom === 0 && block.progress.length < shown.progressTo) shown.progressTo = 0;
      lines.push(...progressLines(block, shown));
      if (block.result !== null && !shown.finished) lines.push(resultLine(printer, block));
      shown.finished = block.result !== null;
      return lines;
    },
  };
}

function callLine(printer: Printer, { name, input, inputText }: ToolBlock): string {
  if (name === todoTool) return printer.style("cyan", `● ${name}`);
  const shown = input === undefined ? inputText : JSON.stringify(input);
  return `${printer.style("cyan", `● ${oneLine(name, 64)}`)} ${oneLine(shown, Math.max(20, printer.width - name.length - 8))}`;
}

function waitingFor({ state, approval }: ToolBlock): string | null {
  if (state === "asking" && approval !== null) return `waits for a decision: ${approval.approvalId}`;
  return state === "requested" ? "waits for the program that runs this tool" : null;
}

function resultLine(printer: Printer, { name, state, result }: ToolBlock): string {
  const content = name === todoTool && state === "ok" ? "" : (result?.content ?? "");
  const text =
    typeof content === "string"
      ? content
      : content.map((part) => (part.type === "text" ? part.text : `[${part.type}]`)).join(" ");
  const took = result?.durationMs === undefined ? "" : ` ${(result.durationMs / 1_000).toFixed(1)} s`;
  const mark =
    state === "ok"
      ? printer.style("green", "✓")
      : printer.style("red", state === "denied" ? "✗ denied" : "✗");
  return `  ${mark} ${oneLine(name, 64)}${printer.style("dim", `${took}  ${oneLine(text, Math.max(20, printer.width - name.length - 16))}`)}`;
}
