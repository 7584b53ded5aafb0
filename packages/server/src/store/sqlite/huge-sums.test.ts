import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createManualClock } from "../../../test/support/manual-clock.ts";
import { begin, budget, end, reserve, spent, whyNot } from "../conformance/budget-scene.conformance.ts";
import { useStore } from "../conformance/scene.conformance.ts";
import { openSqliteStore } from "./sqlite-store.ts";

const scene = useStore(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "berth-sums-"));
  const clock = createManualClock();
  const store = await openSqliteStore({ dataDir, clock });
  return {
    store,
    clock,
    async close() {
      await store.close();
      await rm(dataDir, { recursive: true });
    },
  };
});

const most = Number.MAX_SAFE_INTEGER;

it("I15: keeps sums that can be read, however dear the calls were", async () => {
  const here = scene();
  const warned = await budget(here, { unit: "usd", amount: most, onLimit: "warn" });
  const other = await budget(here, {
    unit: "usd",
    amount: most,
    onLimit: "warn",
    target: "usr_2",
    scope: "user",
  });
  const session = await here.held();
  // Together more than a number holds, and more than SQLite's sum takes.
  for (let calls = 0; calls < 1_100; calls += 100) {
    const many = Array.from({ length: 100 }, () => reserve(here, 1, { cost: most, owner: `usr_${calls}` }));
    expect(whyNot(await begin(session, ...many))).toBe("ok");
    expect(await here.org.budgets.find(warned.id)).toMatchObject({ reserved: most });
    expect(whyNot(await end(session, ...many.map((call) => spent(call, 1, { cost: most }))))).toBe("ok");
  }
  expect(await here.org.budgets.find(warned.id)).toMatchObject({ spent: most, amount: most });
  expect(await here.org.budgets.find(other.id)).toMatchObject({ spent: 0, reserved: 0 });
  const late = await budget(here, { unit: "usd", amount: most, onLimit: "deny" });
  expect(late.spent).toBe(most);
  const { items } = await here.org.usage.sum({ groupBy: "model", limit: 10 });
  expect(items.map(({ cost, modelCalls }) => [cost, modelCalls])).toEqual([[most, 1_100]]);
  expect(whyNot(await begin(session, reserve(here, 1)))).toBe("reached");
});
