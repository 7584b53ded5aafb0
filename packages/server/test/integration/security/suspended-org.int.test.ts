import { expect, it } from "vitest";
import { calls, text } from "../../support/runtime/scripted-client.ts";
import { as, type Caller, made } from "../../support/security/people.ts";
import { useTwoOrgs } from "../../support/security/world.ts";

const world = useTwoOrgs();

async function say(caller: Caller, words: string): Promise<string> {
  return made<{ id: string }>(await caller.post("/sessions", { agent: "restless", input: words })).id;
}

async function untilFinished(caller: Caller, sessionId: string): Promise<void> {
  const runs = async () => (await caller.get(`/sessions/${sessionId}/runs`)).text;
  await expect.poll(runs, { timeout: 20_000 }).toContain('"status":"completed"');
}

it("API-05: a suspended organization runs nothing, and goes on when it is active again", async () => {
  const { a, b, adminKey } = world();
  const operator = as(world(), adminKey);
  const member = as(world(), b.people.member.key);
  let asked = 0;
  let enough = false;
  world().answer(({ request }) => {
    if (enough || !JSON.stringify(request.messages).includes("for ever")) return text("Hello.");
    asked += 1;
    return calls(["todo_read", {}]);
  });
  const agent = {
    name: "restless",
    model: "test/model",
    tools: ["todo_read"],
    permissions: { mode: "auto" },
  };
  for (const { admin } of [a.people, b.people]) made(await as(world(), admin.key).post("/agents", agent));
  const sessionId = await say(member, "go on for ever");
  await expect.poll(() => asked, { timeout: 10_000 }).toBeGreaterThan(3);
  made(await operator.patch("/orgs/beta", { status: "suspended" }), 200);
  const before = { asked, session: await world().store.session(b.orgId, sessionId).find() };
  expect(before.session).toMatchObject({ status: "running", holder: null });
  const others = as(world(), a.people.member.key);
  for (const words of ["hello", "hello again"]) await untilFinished(others, await say(others, words));
  const after = await world().store.session(b.orgId, sessionId).find();
  expect(after).toMatchObject({ lastSeq: before.session?.lastSeq, holder: null });
  // One call may have been under way.
  expect(asked - before.asked).toBeLessThanOrEqual(1);
  enough = true;
  made(await operator.patch("/orgs/beta", { status: "active" }), 200);
  await untilFinished(member, sessionId);
});
