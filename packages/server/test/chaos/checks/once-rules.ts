import { readFileSync } from "node:fs";
import type { SessionEvent } from "@berth/contract";
import type { Checklist } from "../checklist.ts";
import { tokensOf } from "../kill-loop/script.ts";
import type { Exported } from "../kill-loop/settle.ts";

export const onceRules = {
  once: "I6 no call of effect once ran twice, by the file that it writes",
  done: "I6 every call that is told as done ran, by the file that it writes",
  approved: "I7 only what was approved ran, by the file that it writes",
} as const;

interface Call {
  readonly toolUseId: string;
  readonly sessionId: string;
  tokens: readonly string[];
  permitted: boolean;
  ok: boolean;
  /** Told as done when it has begun. */
  readonly background: boolean;
}

/** Compares the file that commands wrote into with the calls that the logs know. */
export function checkOnce(checklist: Checklist, file: string, logs: ReadonlyMap<string, Exported>): void {
  const calls = new Map<string, Call>();
  for (const { log, entry } of logs.values()) {
    const own = log.filter(({ seq }) => seq > (entry.fork?.seq ?? 0));
    for (const event of own) readCall(calls, event, entry.id);
  }
  const written = countLines(file);
  const byToken = new Map<string, Call[]>();
  for (const call of calls.values()) {
    for (const token of call.tokens) byToken.set(token, [...(byToken.get(token) ?? []), call]);
  }
  for (const [token, times] of written) {
    const of = byToken.get(token) ?? [];
    const permitted = of.filter((call) => call.permitted);
    const [call] = of;
    const about = call === undefined ? "no call" : of.map(({ toolUseId }) => toolUseId).join();
    checklist.check(
      onceRules.approved,
      permitted.length > 0,
      () => `${token} was written, and ${about} may not have run with it`,
      call?.sessionId ?? null,
    );
    checklist.check(
      onceRules.once,
      times <= Math.max(1, of.length),
      () => `${token} was written ${times} times by ${about}`,
      call?.sessionId ?? null,
    );
  }
  for (const { ok, tokens, toolUseId, sessionId, background } of calls.values()) {
    if (!ok || background) continue;
    for (const token of tokens) {
      const story = () => `${toolUseId} is told as done and ${token} was never written`;
      checklist.check(onceRules.done, written.has(token), story, sessionId);
    }
  }
}

function countLines(file: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const token of readFileSync(file, "utf8").split("\n")) {
    if (token !== "") counts.set(token, (counts.get(token) ?? 0) + 1);
  }
  return counts;
}

function readCall(calls: Map<string, Call>, event: SessionEvent, sessionId: string): void {
  if (event.type === "agent.tool_use") {
    const { toolUseId, input, permission, name } = event.data;
    if (name === "bash_run")
      calls.set(toolUseId, {
        toolUseId,
        sessionId,
        tokens: tokensIn(input),
        permitted: permission === "allow",
        ok: false,
        background: isBackground(input),
      });
  }
  if (event.type === "approval.decided") {
    const call = calls.get(event.data.toolUseId);
    if (call === undefined) return;
    call.permitted = event.data.decision !== "deny";
    if (event.data.decision === "edit") call.tokens = tokensIn(event.data.input);
  }
  if (event.type === "agent.tool_result") {
    const call = calls.get(event.data.toolUseId);
    if (call !== undefined) call.ok = event.data.ok;
  }
}

function tokensIn(input: unknown): readonly string[] {
  const command = typeof input === "object" && input !== null && "command" in input ? input.command : "";
  return typeof command === "string" ? tokensOf(command) : [];
}

function isBackground(input: unknown): boolean {
  return typeof input === "object" && input !== null && "background" in input && input.background === true;
}
