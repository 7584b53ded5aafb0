import type { Approval, Page } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { type Api, type ApiOptions, useApi } from "../../support/http/api.ts";
import { calls, text, turnOf } from "../../support/runtime/scripted-client.ts";
import { echo } from "../../support/runtime/test-tools.ts";

const open = useApi();

async function start(options: ApiOptions = {}, agent: Parameters<Api["agent"]>[0] = {}): Promise<Api> {
  const api = await open(options);
  await api.agent(agent);
  return api;
}

const asking: ApiOptions = {
  tools: [echo],
  answer: (call) => (turnOf(call) === 0 ? calls(["echo", { say: "hello" }]) : text("done")),
};
const askingAgent: Parameters<Api["agent"]>[0] & object = {
  tools: ["echo"],
  permissions: { mode: "approval", requireApproval: ["echo"] },
};

describe("approvals", () => {
  async function asked(): Promise<{ api: Api; sessionId: string; approval: Approval }> {
    const api = await start(asking, askingAgent);
    const session = await api.session({ input: "say hello" });
    await api.until(session.id, "approval.requested");
    const { items } = (await api.get(`/approvals?status=pending&sessionId=${session.id}`)).json<
      Page<Approval>
    >();
    const [approval] = items;
    if (approval === undefined) throw new Error("there is no approval");
    return { api, sessionId: session.id, approval };
  }

  it("shows what is asked and lets it run once it is allowed", async () => {
    const { api, sessionId, approval } = await asked();
    expect(approval).toMatchObject({
      tool: "echo",
      input: { say: "hello" },
      status: "pending",
      path: ["tester"],
    });
    const reply = await api.post(`/approvals/${approval.id}`, { decision: "allow", note: "fine" });
    expect(reply.status).toBe(200);
    expect(reply.json()).toMatchObject({
      id: approval.id,
      status: "allowed",
      decidedBy: "usr_test",
      note: "fine",
    });
    await api.until(sessionId, "run.finished");
    expect((await api.until(sessionId, "agent.tool_result")).data).toMatchObject({
      ok: true,
      content: "hello",
    });
  });

  it("runs the edited arguments, and refuses ones that the tool would not take", async () => {
    const { api, sessionId, approval } = await asked();
    const wrong = await api.post(`/approvals/${approval.id}`, { decision: "edit", input: "no object" });
    expect(wrong.problem()).toMatchObject({
      status: 422,
      code: "validation_failed",
      errors: [{ pointer: "/input" }],
    });
    const reply = await api.post(`/approvals/${approval.id}`, { decision: "edit", input: { say: "bye" } });
    expect(reply.json()).toMatchObject({ status: "edited", input: { say: "bye" } });
    await api.until(sessionId, "run.finished");
    expect((await api.until(sessionId, "agent.tool_result")).data).toMatchObject({ content: "bye" });
  });

  it("tells a later decision who won", async () => {
    const { api, sessionId, approval } = await asked();
    const decide = (decision: string) => api.post(`/approvals/${approval.id}`, { decision });
    const replies = await Promise.all([decide("allow"), decide("deny"), decide("deny")]);
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(replies.filter(({ status }) => status === 409)).toHaveLength(2);
    const winner = (await api.get(`/approvals/${approval.id}`)).json();
    for (const reply of replies.filter(({ status }) => status === 409)) {
      expect(reply.problem()).toMatchObject({ code: "already_decided", details: { approval: winner } });
    }
    const events = [{ type: "user.approval", approvalId: approval.id, decision: "deny" }];
    expect((await api.post(`/sessions/${sessionId}/events`, { events })).problem().code).toBe(
      "already_decided",
    );
  });

  it.each(["route", "event"])("repeats its reply to a repeated decision with a key, by %s", async (by) => {
    const { api, sessionId, approval } = await asked();
    const event = { type: "user.approval", approvalId: approval.id, decision: "allow" };
    const send = (key: string) =>
      by === "route"
        ? api.post(
            `/approvals/${approval.id}`,
            { decision: "allow" },
            { headers: { "idempotency-key": key } },
          )
        : api.post(
            `/sessions/${sessionId}/events`,
            { events: [event] },
            { headers: { "idempotency-key": key } },
          );
    const first = await send("k1");
    await api.until(sessionId, "run.finished");
    const again = await send("k1");
    expect([again.status, again.text]).toEqual([first.status, first.text]);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect((await send("k2")).problem()).toMatchObject({ status: 409, code: "already_decided" });
  });

  it("wants other eyes than the owner's where the agent says so", async () => {
    const fourEyes = { ...askingAgent, permissions: { ...askingAgent.permissions, fourEyes: true } };
    const api = await start(asking, fourEyes);
    const session = await api.session({ input: "say hello" });
    const { data } = await api.until(session.id, "approval.requested");
    const reply = await api.post(`/approvals/${data.approvalId}`, { decision: "allow" });
    expect(reply.problem()).toMatchObject({ status: 403, code: "four_eyes" });
    const other = api.appFor({ ...api.principal, id: "usr_second" });
    const decided = await api.post(`/approvals/${data.approvalId}`, { decision: "allow" }, { fetch: other });
    expect(decided.json()).toMatchObject({ status: "allowed", decidedBy: "usr_second" });
  });
});
