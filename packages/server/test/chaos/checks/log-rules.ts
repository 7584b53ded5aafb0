import type { SessionEvent } from "@berth/contract";
import type { Checklist } from "../checklist.ts";
import type { Exported } from "../kill-loop/settle.ts";

export const logRules = {
  I1: "I1 seq is 1, 2, 3, ... without a gap",
  I4: "I4 every run.started is followed by exactly one run.finished",
  I5: "I5 every call has exactly one result before the next step of its namespace",
  I6marks: "I6 a call of effect once has one committed start",
  I6sealed: "I6 a call that was cut in its middle is sealed as interrupted, and never has another result",
  I7: "I7 a tool ran only with the arguments that were approved",
  steps: "every step that began ended once",
  quarantine: "nothing is quarantined that has not ended its server twice before",
} as const;

/** What any session's raw log has to fulfil by itself. */
export function checkLog(checklist: Checklist, exported: Exported, deaths: readonly number[]): void {
  const { log, row, entry } = exported;
  const check = (rule: string, ok: boolean, story: () => string) =>
    checklist.check(rule, ok, story, entry.id);
  const gap = log.findIndex((event, index) => event.seq !== index + 1);
  check(logRules.I1, gap === -1, () => `line ${gap + 1} has seq ${log[gap]?.seq}`);
  check(
    logRules.I1,
    row.lastSeq === log.length,
    () => `the row says ${row.lastSeq}, the log has ${log.length}`,
  );
  checkRuns(log, check);
  checkCalls(log, check);
  checkMarks(log, entry.fork?.seq ?? 0, check);
  checkArguments(log, check);
  checkQuarantine(log, deaths, check);
}

const startsRuns: ReadonlySet<string> = new Set(["user.message", "run.retry"]);

type Check = (rule: string, ok: boolean, story: () => string) => boolean;

function checkRuns(log: readonly SessionEvent[], check: Check): void {
  let open: string | null = null;
  const ended = new Set<string>();
  for (const { type, runId = "", seq } of log) {
    if (type === "run.started") {
      check(logRules.I4, open === null, () => `${runId} began at ${seq} while ${open} went on`);
      check(logRules.I4, !ended.has(runId), () => `${runId} began again at ${seq}`);
      open = runId;
    }
    if (type === "run.finished") {
      check(logRules.I4, open === runId, () => `${runId} ended at ${seq} while ${open} went on`);
      ended.add(runId);
      open = null;
    }
  }
  check(logRules.I4, open === null, () => `${open} never ended`);
  for (const event of log) {
    if (event.type !== "input.refused" || !startsRuns.has(event.data.inputType)) continue;
    const { ref = "" } = event.data;
    const begun = log.some(({ type, runId }) => type === "run.started" && runId === ref);
    check(logRules.I4, !begun, () => `${ref} was refused at ${event.seq} and began all the same`);
  }
}

function checkCalls(log: readonly SessionEvent[], check: Check): void {
  const open = new Map<string, string>();
  const known = new Set<string>();
  const steps = new Set<string>();
  for (const event of log) {
    const { seq, namespace, stepId = "" } = event;
    if (event.type === "step.started") {
      const left = [...open].filter(([, at]) => at === namespace).map(([id]) => id);
      check(
        logRules.I5,
        left.length === 0,
        () => `a step began at ${seq} before ${left.join()} had a result`,
      );
      steps.add(stepId);
    }
    if (event.type === "step.finished")
      check(logRules.steps, steps.delete(stepId), () => `${stepId} ended at ${seq} and was not open`);
    if (event.type === "agent.tool_use") {
      const { toolUseId } = event.data;
      check(logRules.I5, !known.has(toolUseId), () => `${toolUseId} is there again at ${seq}`);
      known.add(toolUseId);
      open.set(toolUseId, namespace);
    }
    if (event.type === "agent.tool_result") {
      const { toolUseId } = event.data;
      const right = open.get(toolUseId) === namespace;
      check(logRules.I5, right, () => `${toolUseId} got a result at ${seq} that nobody waited for`);
      open.delete(toolUseId);
    }
  }
  check(logRules.I5, open.size === 0, () => `${[...open.keys()].join()} never had a result`);
  check(logRules.steps, steps.size === 0, () => `${[...steps].join()} never ended`);
}

function checkMarks(log: readonly SessionEvent[], forkedAt: number, check: Check): void {
  const once = new Set<string>();
  const marks = new Set<string>();
  const results = new Map<string, SessionEvent<"agent.tool_result">>();
  for (const event of log) {
    if (event.type === "agent.tool_use" && event.data.kind === "server" && event.data.effect === "once")
      once.add(event.data.toolUseId);
    if (event.type === "agent.tool_started") {
      const { toolUseId } = event.data;
      check(logRules.I6marks, !marks.has(toolUseId), () => `${toolUseId} was started again at ${event.seq}`);
      marks.add(toolUseId);
    }
    if (event.type === "agent.tool_result") {
      const { toolUseId, executedHash } = event.data;
      results.set(toolUseId, event);
      if (executedHash !== undefined && once.has(toolUseId))
        check(logRules.I6marks, marks.has(toolUseId), () => `${toolUseId} ran without a mark`);
    }
  }
  for (const event of log) {
    if (event.type !== "session.resumed") continue;
    for (const id of event.data.sealed) {
      const { data, seq = 0 } = results.get(id) ?? {};
      // A fork between the two ends the call in its own words.
      const cut = event.seq <= forkedAt && forkedAt < seq && data?.errorType === "aborted";
      const told = data?.sealed === true && !data.ok && (data.errorType === "interrupted" || cut);
      check(
        logRules.I6sealed,
        told,
        () => `${id} was sealed at ${event.seq} and its result is ${JSON.stringify(data)}`,
      );
    }
  }
}

function checkArguments(log: readonly SessionEvent[], check: Check): void {
  const allowed = new Map<string, string | null>();
  const asked = new Map<string, string>();
  const ran = (toolUseId: string, hash: string, seq: number) =>
    check(
      logRules.I7,
      allowed.get(toolUseId) === hash,
      () => `${toolUseId} ran at ${seq} with ${hash}, approved was ${allowed.get(toolUseId)}`,
    );
  for (const { type, data, seq } of log) {
    if (type === "agent.tool_use")
      allowed.set(data.toolUseId, data.permission === "allow" ? data.inputHash : null);
    if (type === "approval.requested") asked.set(data.approvalId, data.inputHash);
    if (type === "approval.decided" && data.decision !== "deny") {
      const hash = data.decision === "edit" ? data.inputHash : asked.get(data.approvalId);
      allowed.set(data.toolUseId, hash ?? null);
    }
    if (type === "agent.tool_started") ran(data.toolUseId, data.inputHash, seq);
    if (type === "agent.tool_result" && data.executedHash !== undefined)
      ran(data.toolUseId, data.executedHash, seq);
  }
}

/** The third claim without an event is one after two deaths. */
function checkQuarantine(log: readonly SessionEvent[], deaths: readonly number[], check: Check): void {
  for (const [index, event] of log.entries()) {
    const put =
      (event.type === "run.finished" && event.data.reason === "quarantined") ||
      (event.type === "input.refused" && event.data.code === "quarantined");
    if (!put) continue;
    // What was written in the same commit has the same time.
    const before = log.slice(0, index).findLast(({ at }) => at !== event.at);
    const since = Date.parse(before?.at ?? event.at);
    const died = deaths.filter((at) => at >= since && at <= Date.parse(event.at) + 1_000).length;
    check(
      logRules.quarantine,
      died >= 2,
      () => `at ${event.seq}, after ${died} deaths since the event before`,
    );
  }
}
