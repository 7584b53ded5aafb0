import type { Rows, Target } from "../../../support/security/matrix-row.ts";

const wanted = { scope: "org", unit: "tokens", period: "total", limit: 1e9, onLimit: "warn" };

/** A budget that may be spoilt. */
async function fresh({ make }: Target): Promise<{ params: { budgetId: string } }> {
  const { id = "" } = await make("admin", "POST", "/budgets", wanted);
  return { params: { budgetId: id } };
}

export const budgetRows: Rows = {
  createBudget: { may: "admin", ok: [201], abroad: true, given: () => ({ body: wanted }) },
  listBudgets: { may: "admin", ok: [200], abroad: true },
  getBudget: { may: "admin", ok: [200], abroad: true, given: fresh },
  updateBudget: {
    may: "admin",
    ok: [200],
    abroad: true,
    given: async (target) => ({ ...(await fresh(target)), body: { limit: 2e9 } }),
  },
  removeBudget: { may: "admin", ok: [204], abroad: true, given: fresh },
  allowBudget: {
    may: "admin",
    ok: [200, 409, 422],
    abroad: true,
    async given(target) {
      return { ...(await fresh(target)), body: { runId: target.home.things.askingRunId, amount: 1 } };
    },
  },
  getUsage: { may: "viewer", ok: [200], abroad: true },
};
