import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SessionEvent } from "@berth/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { effectiveEvents, fold } from "../../../src/session/fold.ts";
import { idOf, isoAt } from "../../support/session/ids.ts";
import { call, person, story } from "../../support/session/story.ts";
import { Checklist } from "../checklist.ts";
import { Ledger } from "../kill-loop/ledger.ts";
import type { Exported } from "../kill-loop/settle.ts";
import { createRandom } from "../random.ts";
import { checkFolds, foldRules } from "./fold-rules.ts";
import { checkInputs, inputRules } from "./input-rules.ts";
import { checkLog, logRules } from "./log-rules.ts";
import { checkOnce, onceRules } from "./once-rules.ts";

let folder = "";
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "berth-checks-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const command = (token: string) => ({ command: `echo ${token} >> '/x'` });
const bash = (number: number, token: string, change = {}) =>
  call(number, { name: "bash_run", effect: "once", input: command(token), ...change });

/** One turn with a command that was allowed and one that was asked about, and another turn. */
function soundLog(): SessionEvent[] {
  const told = story()
    .message("tok")
    .think()
    .answer(bash(1, "toka"), bash(2, "tokb", { permission: "ask" }));
  told.asks(2).starts(1).returns(1).decided(2).starts(2).returns(2);
  told.think().answer("done").ends().turn("marka", "well");
  return told.events.map((event) =>
    event.type === "user.message" ? { ...event, inputId: inputOf(event.seq), actor: person } : event,
  );
}

const inputOf = (seq: number): string => idOf("input", seq);

function exportedOf(log: readonly SessionEvent[], change: Partial<Exported["row"]> = {}): Exported {
  const id = idOf("session", 1);
  const state = fold(effectiveEvents(log));
  const { title, model, metadata, usage, key, agent, owner } = state;
  const row: Exported["row"] = {
    id,
    agent,
    owner,
    key,
    title,
    metadata,
    model,
    usage,
    visibility: "private",
    status: "idle",
    currentRunId: null,
    lastSeq: log.length,
    generation: 1,
    forkedFrom: null,
    createdAt: isoAt(0),
    updatedAt: isoAt(0),
    ...change,
  };
  const entry = { id, kind: "auto", fork: null } as const;
  const approvals = [{ id: idOf("approval", 2), status: "allowed" }] as unknown as Exported["approvals"];
  const runs = [1, 2].map((run) => ({ id: idOf("run", run), status: "completed", reason: "end_turn" }));
  const shown = { todos: [], approvals, runs: runs as unknown as Exported["runs"] };
  return { entry, log, row, text: "", ...shown };
}

function ledgerOf(log: readonly SessionEvent[]): Ledger {
  const ledger = new Ledger();
  for (const event of log) {
    if (event.type !== "user.message") continue;
    const { inputId = "", data, sessionId } = event;
    const about = { sessionId, inputId, runId: data.runId, type: "user.message", lane: "queue" } as const;
    const ticks = { sentTick: ledger.tick(), repliedTick: ledger.tick() };
    ledger.accepted.push({ ...about, ...ticks, index: 0, key: inputId });
    const [, marker = ""] = /(mark\w)/.exec(JSON.stringify(data.content)) ?? [];
    if (marker !== "") ledger.markers.push({ marker, sessionId, inputId, accepted: true, code: "" });
  }
  return ledger;
}

interface Planted {
  readonly log?: readonly SessionEvent[];
  readonly exported?: Exported;
  readonly ledger?: Ledger;
  readonly written?: readonly string[];
  readonly deaths?: readonly number[];
}

function failedRules(planted: Planted): readonly string[] {
  const { log = soundLog(), ledger = ledgerOf(soundLog()), written = ["toka", "tokb"] } = planted;
  const { exported = exportedOf(log), deaths = [] } = planted;
  const checklist = new Checklist();
  const logs = new Map([[exported.entry.id, exported]]);
  const file = join(folder, "once.txt");
  writeFileSync(file, written.map((token) => `${token}\n`).join(""));
  checkLog(checklist, exported, deaths);
  checkFolds(checklist, exported, createRandom("checks"));
  checkInputs(checklist, ledger, logs);
  checkOnce(checklist, file, logs);
  const all = [logRules, foldRules, inputRules, onceRules].flatMap((rules) => Object.values(rules));
  return all.filter((rule) => checklist.violations(rule).length > 0);
}

/** Without the events that fit, renumbered as if they had never been. */
function without(log: readonly SessionEvent[], drop: (event: SessionEvent) => boolean): SessionEvent[] {
  return log.filter((event) => !drop(event)).map((event, index) => ({ ...event, seq: index + 1 }));
}

function changed<T extends SessionEvent["type"]>(
  type: T,
  change: (event: SessionEvent<T>) => SessionEvent,
): SessionEvent[] {
  const log = soundLog();
  const index = log.findLastIndex((event) => event.type === type);
  const found = log[index] as SessionEvent<T>;
  log[index] = change(found);
  return log;
}

describe("the checks of the kill loop", () => {
  it("find nothing in a sound log", () => {
    expect(failedRules({})).toEqual([]);
  });

  it("find a gap and a row that is behind (I1)", () => {
    const log = soundLog();
    expect(failedRules({ log: log.filter(({ seq }) => seq !== 5) })).toContain(logRules.I1);
    expect(failedRules({ exported: exportedOf(log, { lastSeq: 3 }) })).toContain(logRules.I1);
  });

  it("find a run without an end, and one with two (I4)", () => {
    const log = soundLog();
    const last = log.at(-1);
    const end = log.find(({ type }) => type === "run.finished");
    if (last === undefined || end === undefined) throw new Error("the log has no end");
    expect(failedRules({ log: without(log, (event) => event === end) })).toContain(logRules.I4);
    expect(failedRules({ log: [...log, { ...last, seq: log.length + 1 }] })).toContain(logRules.I4);
  });

  it("find a call without a result, and one with two (I5)", () => {
    const log = soundLog();
    const result = log.find(({ type }) => type === "agent.tool_result");
    if (result === undefined) throw new Error("the log has no result");
    expect(failedRules({ log: without(log, (event) => event === result) })).toContain(logRules.I5);
    expect(failedRules({ log: [...log, { ...result, seq: log.length + 1 }] })).toContain(logRules.I5);
  });

  it("find a call that ran without its start mark, twice, or was sealed and then had a result (I6)", () => {
    const log = soundLog();
    const unmarked = without(log, ({ type }) => type === "agent.tool_started");
    expect(failedRules({ log: unmarked })).toContain(logRules.I6marks);
    expect(failedRules({ written: ["toka", "tokb", "toka"] })).toContain(onceRules.once);
    const mark = log.findIndex(({ type }) => type === "agent.tool_result");
    const sealed = { strategy: "seal", sealed: [idOf("toolUse", 1)], epoch: 2 } as const;
    const at = log[mark];
    if (at === undefined) throw new Error("the log has no result");
    const resumed = { ...at, type: "session.resumed", data: sealed } as unknown as SessionEvent;
    const again = log.toSpliced(mark, 0, resumed).map((event, index) => ({ ...event, seq: index + 1 }));
    expect(failedRules({ log: again })).toContain(logRules.I6sealed);
  });

  it("find arguments that nobody approved, in the log and in the file (I7)", () => {
    const other = changed("agent.tool_started", (event) => ({
      ...event,
      data: { ...event.data, inputHash: "0".repeat(64) },
    }));
    expect(failedRules({ log: other })).toContain(logRules.I7);
    expect(failedRules({ written: ["toka", "tokb", "tokz"] })).toContain(onceRules.approved);
    const denied = changed("approval.decided", (event) => ({
      ...event,
      data: { ...event.data, decision: "deny" },
    }));
    expect(failedRules({ log: denied })).toContain(onceRules.approved);
    expect(failedRules({ written: ["toka"] })).toContain(onceRules.done);
  });

  it("find an input without an event, with two, out of order, and a refusal that left a trace (I3)", () => {
    const log = soundLog();
    const silent = log.map(
      (event) => JSON.parse(JSON.stringify({ ...event, inputId: undefined })) as SessionEvent,
    );
    expect(failedRules({ log: silent })).toContain(inputRules.once);
    const twice = log.map((event) => (event.seq === 3 ? { ...event, inputId: inputOf(2) } : event));
    expect(failedRules({ log: twice })).toContain(inputRules.once);
    const ledger = ledgerOf(log);
    ledger.accepted.reverse();
    const swapped = new Ledger();
    for (const entry of ledger.accepted) {
      swapped.accepted.push({ ...entry, sentTick: swapped.tick(), repliedTick: swapped.tick() });
    }
    expect(failedRules({ ledger: swapped })).toContain(inputRules.order);
    const refused = ledgerOf(log);
    const [marker] = refused.markers;
    if (marker === undefined) throw new Error("no message has a marker");
    refused.markers[0] = { ...marker, accepted: false, code: "session_busy" };
    expect(failedRules({ ledger: refused })).toContain(inputRules.refused);
    const others = ledgerOf(log);
    const [entry] = others.accepted;
    if (entry === undefined) throw new Error("nothing was accepted");
    others.accepted[0] = { ...entry, runId: idOf("run", 9) };
    expect(failedRules({ ledger: others })).toContain(inputRules.kind);
  });

  it("find rows that say something else than the log (I8)", () => {
    const exported = exportedOf(soundLog());
    const titled = { ...exported, row: { ...exported.row, title: "other" } };
    expect(failedRules({ exported: titled })).toEqual([foldRules.row]);
    const open = { ...exported, runs: exported.runs.map((run) => ({ ...run, status: "queued" as const })) };
    expect(failedRules({ exported: open })).toEqual([foldRules.runs]);
    expect(failedRules({ exported: { ...exported, approvals: [] } })).toEqual([foldRules.approvals]);
  });

  it("find a run that was put aside though its servers lived", () => {
    const log = changed("run.finished", (event) => ({
      ...event,
      data: { ...event.data, reason: "quarantined" },
    }));
    const exported = exportedOf(log);
    expect(failedRules({ exported })).toContain(logRules.quarantine);
    const [before, at] = [log.at(-2), log.at(-1)].map((event) => Date.parse(event?.at ?? ""));
    const deaths = [(before ?? 0) + 1, at ?? 0];
    expect(failedRules({ exported, deaths })).not.toContain(logRules.quarantine);
  });
});
