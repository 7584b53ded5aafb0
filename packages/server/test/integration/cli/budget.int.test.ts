import type { Budget, UsageSum } from "@berth/client";
import { describe, expect, it } from "vitest";
import { script, useCliRig } from "../../support/cli/cli-rig.ts";

const start = useCliRig();
type Ended = { readonly code: number; readonly out: string; readonly err: string };

const told = [{ text: "hello" }, { usage: { input: 30, output: 10 } }];

function parsed({ code, out, err }: Ended): unknown {
  if (code !== 0) throw new Error(err);
  return JSON.parse(out);
}

describe("berth budget", () => {
  it("sets, shows, raises and removes budgets, and a run that waits goes on", async () => {
    const rig = await start();
    await rig.agent();
    const made = parsed(
      await rig.berth(
        "budget",
        "create",
        "--agent",
        "tester",
        "--limit",
        "40tokens",
        "--per",
        "day",
        "--json",
      ),
    ) as Budget;
    expect(made).toMatchObject({
      scope: "agent",
      limit: 40,
      unit: "tokens",
      period: "day",
      onLimit: "pause",
    });
    await rig.berth("run", script(told), "--agent", "tester");
    const { id } = await rig.client.sessions.create({ agent: "tester", input: script(told) });
    await expect.poll(async () => (await rig.client.sessions.get(id)).status).toBe("waiting");
    const list = await rig.berth("budget", "list");
    expect(list.out).toMatch(/40 tokens a day +40 tokens +0 tokens +pause +1/);
    const shown = await rig.berth("budget", "show", made.id);
    expect(shown.out).toContain("resets");
    const wrong = await rig.berth("budget", "raise", made.id, "--limit", "5usd");
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining("This budget counts tokens")]);
    expect((await rig.berth("budget", "raise", made.id, "--limit", "1_000")).code).toBe(0);
    await expect.poll(async () => (await rig.client.sessions.get(id)).status).toBe("idle");
    expect((await rig.berth("budget", "remove", made.id)).out).toBe(`Removed ${made.id}.\n`);
    expect(parsed(await rig.berth("budget", "list", "--json"))).toEqual([]);
  });

  it("finds a service account by its name, and says what --by and --per take", async () => {
    const rig = await start();
    await rig.agent();
    const account = await rig.client.serviceAccounts.create({ name: "robot", role: "member" });
    const set = ["budget", "create", "--user", "robot", "--limit", "40tokens", "--json"];
    expect((parsed(await rig.berth(...set)) as Budget).target).toBe(account.id);
    expect(parsed(await rig.berth("usage", "--by", "day", "--user", "robot", "--json"))).toEqual([]);
    const nobody = await rig.berth("usage", "--user", "nobody");
    expect([nobody.code, nobody.err]).toEqual([1, expect.stringContaining("by their email or id")]);
    const bare = await rig.berth("usage", "--by", "run");
    expect([bare.code, bare.err]).toEqual([2, expect.stringContaining("--session")]);
    const weekly = await rig.berth("budget", "create", "--limit", "1usd", "--per", "week");
    expect([weekly.code, weekly.err]).toEqual([2, expect.stringContaining("day, month, total")]);
  });

  it("tells whoever watches a run that it waits, and how to let it go on", async () => {
    const rig = await start();
    await rig.agent();
    const made = parsed(await rig.berth("budget", "create", "--limit", "1tokens", "--json")) as Budget;
    await rig.berth("run", script(told), "--agent", "tester");
    const running = rig.berth("run", script(told), "--agent", "tester");
    await expect.poll(async () => (await rig.client.budgets.get(made.id)).waiting).toBe(1);
    await rig.client.budgets.update(made.id, { limit: 1_000 });
    const { code, out, err } = await running;
    expect([code, out]).toEqual([0, "hello\n"]);
    expect(err).toContain("Nothing is left of the organization's budget of 1 tokens");
    expect(err).toMatch(new RegExp(`berth budget allow ${made.id} --run run_\\w+ --amount AMOUNT`));
  });

  it("lets one run go on, and says what is wrong with a command", async () => {
    const rig = await start();
    await rig.agent();
    const made = parsed(await rig.berth("budget", "create", "--limit", "1tokens", "--json")) as Budget;
    await rig.berth("run", script(told), "--agent", "tester");
    const { id, input } = await rig.client.sessions.create({ agent: "tester", input: script(told) });
    await expect.poll(async () => (await rig.client.sessions.get(id)).status).toBe("waiting");
    const allow = ["budget", "allow", made.id, "--run", input?.runId ?? "", "--amount", "100"];
    expect((await rig.berth(...allow)).code).toBe(0);
    await expect.poll(async () => (await rig.client.sessions.get(id)).status).toBe("idle");
    for (const flags of [["--limit", "many"], ["--limit", "1usd", "--user", "u", "--run", "r"], []])
      expect((await rig.berth("budget", "create", ...flags)).code).toBe(2);
    await rig.berth("budget", "remove", made.id);
    const unpriced = await rig.berth("budget", "create", "--limit", "1usd");
    expect([unpriced.code, unpriced.err]).toEqual([1, expect.stringContaining("has no price")]);
  });
});

describe("berth usage", () => {
  it("shows what was used", async () => {
    const rig = await start();
    expect((await rig.berth("usage")).out).toBe("Nothing was used.\n");
    await rig.agent();
    await rig.berth("run", script(told), "--agent", "tester");
    expect((await rig.berth("usage")).out).toMatch(/\d{4}-\d\d-\d\d +1 +0 +0 +30 +0 +10 +0\.0000 \+\?/);
    const byAgent = parsed(await rig.berth("usage", "--by", "agent", "--json")) as readonly UsageSum[];
    expect(byAgent).toMatchObject([{ name: "tester", modelCalls: 1, unpricedCalls: 1 }]);
  });
});
