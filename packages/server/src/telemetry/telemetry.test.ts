import { describe, expect, it } from "vitest";
import { BerthError } from "../lib/errors.ts";
import { createLogger } from "./logger.ts";
import { createMetrics } from "./metrics.ts";
import { createTelemetry, silentTelemetry } from "./telemetry.ts";

const ids = { orgId: "org_1", sessionId: "ses_1", runId: "run_1" };
const usage = {
  inputTokens: 10,
  outputTokens: 5,
  cacheReadTokens: 2,
  cacheWriteTokens: 1,
  reasoningTokens: 3,
};

function setUp() {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) };
  const metrics = createMetrics();
  const telemetry = createTelemetry({ logger: createLogger({ level: "debug", destination }), metrics });
  /** The page's line of one series. */
  const series = async (name: string) =>
    Number(
      (await metrics.text())
        .split("\n")
        .find((line) => line.startsWith(`${name} `))
        ?.split(" ")
        .at(-1),
    );
  return { telemetry, lines, metrics, series };
}

describe("createTelemetry", () => {
  it("tells a run's end as a line, a count and a duration", async () => {
    const { telemetry, lines, series } = setUp();
    telemetry.runFinished({ ...ids, reason: "end_turn", steps: 2, durationMs: 1_500 });
    const error = { code: "overloaded", message: "m", retryable: true };
    telemetry.runFinished({ ...ids, reason: "retries_exhausted", steps: 1, durationMs: 500, error });
    expect(lines).toMatchObject([
      { level: "info", msg: "run finished", ...ids, reason: "end_turn", steps: 2 },
      { level: "warn", msg: "run finished", ...ids, reason: "retries_exhausted", error },
    ]);
    expect(await series('berth_runs_finished_total{reason="end_turn"}')).toBe(1);
    expect(await series('berth_runs_finished_total{reason="retries_exhausted"}')).toBe(1);
    expect(await series("berth_run_seconds_sum")).toBe(2);
  });

  it("tells once that the store cannot be written, and what follows from it only at level debug", async () => {
    const { telemetry, lines, series } = setUp();
    const failing = new BerthError("store_unavailable", "mount it for writing again", { retryable: true });
    const follows = [
      failing,
      new BerthError("lease_lost", "m"),
      Object.assign(new Error(), { code: "EROFS" }),
    ];
    const fail = (error: unknown) => telemetry.unexpectedError({ where: "heartbeat", error });
    for (const error of follows) fail(error);
    telemetry.storeFailing(failing);
    for (const error of [...follows, new TypeError("a bug")]) fail(error);
    telemetry.storeFailing(null);
    fail(failing);
    expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
      ["error", "unexpected error"],
      ["warn", "not done: this worker lost its lease"],
      ["error", "unexpected error"],
      ["error", "the store cannot be written"],
      ...follows.map(() => ["debug", "nothing written"]),
      ["error", "unexpected error"],
      ["warn", "the store can be written again"],
      ["error", "unexpected error"],
    ]);
    expect(lines[3]).toMatchObject({ code: "store_unavailable", reason: "mount it for writing again" });
    expect(await series('berth_unexpected_errors_total{where="heartbeat"}')).toBe(6);
  });

  it("counts steps, tokens and money", async () => {
    const { telemetry, series } = setUp();
    telemetry.stepFinished({ ...ids, model: "openai/gpt-x", usage, cost: 0.25 });
    telemetry.stepFinished({ ...ids, model: "ollama/free", usage, cost: null });
    expect(await series("berth_steps_total")).toBe(2);
    expect(await series('berth_tokens_total{kind="input"}')).toBe(20);
    expect(await series('berth_tokens_total{kind="reasoning"}')).toBe(6);
    expect(await series('berth_model_cost_dollars_total{provider="openai"}')).toBe(0.25);
  });

  it("counts runs that wait for budgets and that are told of them", async () => {
    const { telemetry, lines, series } = setUp();
    const budget = { budgetId: "bud_1", scope: "user", unit: "usd", limit: 5, spent: 5.01 };
    telemetry.budgetReached({ ...ids, ...budget });
    telemetry.budgetWarned({ ...ids, ...budget, level: "share" });
    expect(await series('berth_budget_pauses_total{scope="user"}')).toBe(1);
    expect(await series('berth_budget_warnings_total{level="share"}')).toBe(1);
    expect(lines).toMatchObject([
      { level: "warn", ...ids, ...budget },
      { level: "info", ...ids },
    ]);
  });

  it("labels model calls by provider, never by the model's name", async () => {
    const { telemetry, lines, series, metrics } = setUp();
    telemetry.modelCalled({ ...ids, model: "openai/a/b", outcome: "ok", ttftMs: 300, durationMs: 2_000 });
    telemetry.modelCalled({
      ...ids,
      model: "openai/c",
      outcome: "overloaded",
      ttftMs: null,
      durationMs: 100,
    });
    telemetry.modelRetried({ ...ids, model: "openai/c", code: "overloaded", attempt: 1, delayMs: 5 });
    telemetry.modelFellBack({ ...ids, from: "openai/c", to: "groq/d", code: "overloaded" });
    expect(lines.map(({ level }) => level)).toEqual(["debug", "warn", "info", "warn"]);
    expect(await series('berth_model_calls_total{provider="openai",outcome="ok"}')).toBe(1);
    expect(await series('berth_model_calls_total{provider="openai",outcome="overloaded"}')).toBe(1);
    expect(await series('berth_model_first_token_seconds_count{provider="openai"}')).toBe(1);
    expect(await series('berth_model_first_token_seconds_sum{provider="openai"}')).toBe(0.3);
    expect(await series('berth_model_retries_total{provider="openai",code="overloaded"}')).toBe(1);
    expect(await series('berth_model_fallbacks_total{provider="openai"}')).toBe(1);
    expect(await metrics.text()).not.toContain("openai/");
  });

  it("counts a server's tools by name and all others by kind", async () => {
    const { telemetry, series, metrics } = setUp();
    const call = { ...ids, toolUseId: "tlu_1", durationMs: 10 };
    telemetry.toolFinished({ ...call, tool: "fs_read", kind: "server", outcome: "ok" });
    telemetry.toolFinished({ ...call, tool: "acme_secret_tool", kind: "client", outcome: "timeout" });
    telemetry.toolFinished({ ...call, tool: "hallucinated", kind: "unknown", outcome: "validation" });
    expect(await series('berth_tool_calls_total{tool="fs_read",outcome="ok"}')).toBe(1);
    expect(await series('berth_tool_calls_total{tool="client",outcome="timeout"}')).toBe(1);
    expect(await series('berth_tool_calls_total{tool="unknown",outcome="validation"}')).toBe(1);
    expect(await metrics.text()).not.toMatch(/acme|hallucinated/);
  });

  it("counts approvals as they are asked for and closed", async () => {
    const { telemetry, lines, series } = setUp();
    telemetry.approvalRequested({ ...ids, approvalId: "apr_1", tool: "bash_run" });
    telemetry.approvalClosed({ ...ids, approvalId: "apr_1", outcome: "denied", decidedBy: "usr_1" });
    expect(lines).toMatchObject([{ approvalId: "apr_1" }, { approvalId: "apr_1", decidedBy: "usr_1" }]);
    expect(await series("berth_approvals_requested_total")).toBe(1);
    expect(await series('berth_approvals_closed_total{outcome="denied"}')).toBe(1);
  });

  it("tells what happens to sessions, louder when something is wrong", async () => {
    const { telemetry, lines, series } = setUp();
    telemetry.inputAccepted({ ...ids, inputId: "inp_1", type: "user.message" });
    telemetry.sessionClaimed({ ...ids, epoch: 1, takeover: false });
    telemetry.sessionClaimed({ ...ids, epoch: 2, takeover: true });
    telemetry.sessionActivated({ ...ids, events: 40, durationMs: 3 });
    telemetry.sessionFenced({ ...ids, epoch: 1 });
    telemetry.sessionEvicted({ ...ids, reason: "memory", bytes: 10_000 });
    telemetry.quarantined({ ...ids, reason: "fold", error: new Error("unknown event") });
    telemetry.contextCompacted({ ...ids, tokensBefore: 100, tokensAfter: 50 });
    const levels = ["debug", "debug", "info", "debug", "warn", "debug", "error", "info"];
    expect(lines.map(({ level }) => level)).toEqual(levels);
    expect(lines.every(({ sessionId }) => sessionId === "ses_1")).toBe(true);
    expect(await series('berth_inputs_accepted_total{type="user.message"}')).toBe(1);
    expect(await series('berth_sessions_claimed_total{takeover="true"}')).toBe(1);
    expect(await series("berth_session_activation_seconds_sum")).toBe(0.003);
    expect(await series("berth_sessions_fenced_total")).toBe(1);
    expect(await series('berth_sessions_evicted_total{reason="memory"}')).toBe(1);
    expect(await series("berth_sessions_quarantined_total")).toBe(1);
    expect(await series("berth_contexts_compacted_total")).toBe(1);
  });

  it("measures commits and writes a line only for one that is slow", async () => {
    const { telemetry, lines, series } = setUp();
    telemetry.commitDone({ operations: 3, durationMs: 2 });
    expect(lines).toEqual([]);
    telemetry.commitDone({ operations: 1, durationMs: 1_000 });
    expect(lines).toMatchObject([{ level: "warn", operations: 1, durationMs: 1_000 }]);
    expect(await series("berth_commit_operations_sum")).toBe(4);
    expect(await series("berth_commit_seconds_count")).toBe(2);
  });

  it("tells requests by route template, and lets no caller invent labels", async () => {
    const { telemetry, lines, series, metrics } = setUp();
    const request = { requestId: "req_1", durationMs: 5 };
    telemetry.httpRequest({ ...request, method: "GET", route: "/api/v1/sessions/{id}", status: 200 });
    telemetry.httpRequest({ ...request, method: "BREW", route: null, status: 404 });
    telemetry.httpRequest({ ...request, method: "POST", route: "/x", status: 500, principal: "usr_1" });
    expect(lines.map(({ level }) => level)).toEqual(["debug", "debug", "warn"]);
    expect(lines[2]).toMatchObject({ requestId: "req_1", principal: "usr_1", status: 500 });
    const first = 'berth_http_requests_total{method="GET",route="/api/v1/sessions/{id}",status="200"}';
    expect(await series(first)).toBe(1);
    expect(await series('berth_http_requests_total{method="other",route="unmatched",status="404"}')).toBe(1);
    expect(await series('berth_http_request_seconds_sum{route="unmatched"}')).toBe(0.005);
    expect(await metrics.text()).not.toMatch(/BREW|usr_1|req_1/);
  });

  it("knows how many clients follow, and why they stopped", async () => {
    const { telemetry, series } = setUp();
    telemetry.streamOpened({ ...ids, transport: "sse" });
    telemetry.streamOpened({ ...ids, transport: "sse" });
    telemetry.streamClosed({ ...ids, transport: "sse", by: "slow" });
    expect(await series('berth_stream_clients{transport="sse"}')).toBe(1);
    expect(await series('berth_streams_closed_total{transport="sse",by="slow"}')).toBe(1);
  });

  it("tells what nobody expected, with its error", async () => {
    const { telemetry, lines, series } = setUp();
    telemetry.unexpectedError({ ...ids, where: "turn-loop", error: new Error("bug") });
    expect(lines).toMatchObject([
      { level: "error", where: "turn-loop", sessionId: "ses_1", error: { message: "bug" } },
    ]);
    expect(await series('berth_unexpected_errors_total{where="turn-loop"}')).toBe(1);
  });

  it("puts the values of an open label above its bound into one", async () => {
    const { telemetry, series } = setUp();
    for (let i = 0; i < 200; i++) {
      telemetry.modelRetried({ ...ids, model: `p${i}/m`, code: "timeout", attempt: 1, delayMs: 1 });
    }
    expect(await series('berth_model_retries_total{provider="p0",code="timeout"}')).toBe(1);
    expect(await series('berth_model_retries_total{provider="other",code="timeout"}')).toBe(150);
  });
});

describe("silentTelemetry", () => {
  it("counts without a line", async () => {
    const telemetry = silentTelemetry();
    telemetry.runFinished({ ...ids, reason: "error", steps: 1, durationMs: 1 });
    expect(await telemetry.metrics.text()).toContain('berth_runs_finished_total{reason="error"} 1');
  });
});

describe("what happens with sandboxes", () => {
  const of = { orgId: "org_1", sessionId: "ses_1", sandboxId: "sbx_1" };

  it("is counted, and what an operator has to see is a warning", async () => {
    const { telemetry, lines, series } = setUp();
    telemetry.sandboxClaimed({ ...of, strategy: "Session-Exclusive", source: "warm", durationMs: 20 });
    telemetry.sandboxClaimed({ ...of, strategy: "Session-Exclusive", source: "new", durationMs: 80 });
    telemetry.sandboxEnded({ ...of, reason: "idle" });
    telemetry.sandboxEnded({ ...of, reason: "lost" });
    telemetry.sandboxesSwept({ host: "local", removed: 0, foreign: 2 });
    telemetry.sandboxesSwept({ host: "local", removed: 3, foreign: 2 });
    telemetry.commandEnded({ ...of, reason: "oom", durationMs: 500 });
    expect(await series('berth_sandbox_claims_total{source="warm"}')).toBe(1);
    expect(await series('berth_sandbox_claim_seconds_sum{source="new"}')).toBe(0.08);
    expect(await series('berth_sandboxes_ended_total{reason="lost"}')).toBe(1);
    expect(await series("berth_sandbox_orphans_total")).toBe(3);
    expect(await series('berth_sandbox_foreign{host="local"}')).toBe(2);
    expect(await series('berth_sandbox_commands_total{reason="oom"}')).toBe(1);
    expect(lines.filter(({ level }) => level === "warn")).toMatchObject([
      { msg: "a sandbox was lost", ...of },
      { msg: "what belonged to nobody was removed", removed: 3 },
    ]);
  });

  it("keeps what sandboxes ask for out of the labels", async () => {
    const { telemetry, lines, metrics, series } = setUp();
    const target = "secret-name.example:443";
    const moved = { count: 3, bytesOut: 5, bytesIn: 7 };
    telemetry.egressAsked({ ...of, ...moved, decision: "denied", reason: "not_listed", target });
    const allowed = { decision: "allowed", reason: "allowed" } as const;
    telemetry.egressAsked({ ...of, ...moved, ...allowed, count: 1, target: "api.example:443" });
    expect(await series('berth_sandbox_egress_total{decision="denied",reason="not_listed"}')).toBe(3);
    expect(await series('berth_sandbox_egress_total{decision="allowed",reason="allowed"}')).toBe(1);
    expect(await series('berth_sandbox_egress_bytes_total{direction="in"}')).toBe(14);
    expect(await metrics.text()).not.toContain("secret-name");
    expect(lines).toMatchObject([{ level: "info", target }, { level: "debug" }]);
  });
});
