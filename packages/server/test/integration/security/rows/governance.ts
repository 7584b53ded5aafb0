import { vi } from "vitest";
import { newId } from "../../../../src/lib/id.ts";
import type { Make, Rows, Target } from "../../../support/security/matrix-row.ts";

const exports = new Map<string, Promise<string>>();

/** The owner's export: one, because an organization may have few at once. */
async function exported({ home, make }: Target): Promise<{ params: { exportId: string } }> {
  const known = exports.get(home.orgId) ?? madeExport(make);
  exports.set(home.orgId, known);
  return { params: { exportId: await known } };
}

/** One that is done: until then it changes by itself. */
async function madeExport(make: Make): Promise<string> {
  const { id = "" } = await make("owner", "POST", "/exports", { scope: "user" });
  const done = async () => {
    const { status } = await make("owner", "GET", `/exports/${id}`);
    if (status !== "done") throw new Error(`export ${id} is ${status}`);
  };
  await vi.waitFor(done, { timeout: 30_000 });
  return id;
}

/** What was done, what may be used, and what becomes of data. */
export const governanceRows: Rows = {
  listAudit: { may: "admin", ok: [200], abroad: true },
  exportAudit: { may: "admin", ok: [200], abroad: true },
  verifyAudit: { may: "admin", ok: [200], abroad: true, given: () => ({ body: {} }) },
  listQuotas: { may: "admin", ok: [200], abroad: true },
  setQuotas: {
    may: "operator",
    ok: [200],
    abroad: true,
    given: ({ home }) => ({ params: { orgId: home.orgId }, body: { quotas: {} } }),
  },
  createExport: { may: "viewer", ok: [202, 429], given: () => ({ body: { scope: "user" } }) },
  listExports: { may: "viewer", ok: [200], abroad: true },
  getExport: { may: "owner", hidden: true, ok: [200], abroad: true, given: exported },
  downloadExport: { may: "owner", hidden: true, ok: [200, 404, 409], abroad: true, given: exported },
  deleteExport: { may: "owner", hidden: true, ok: [204, 404], abroad: true, given: exported },
  createErasure: {
    may: "owner",
    ok: [422],
    abroad: true,
    given: ({ home }) => ({ body: { scope: "user", id: home.people.viewer.id, confirm: "not it" } }),
  },
  listErasures: { may: "owner", ok: [200], abroad: true },
  getErasure: {
    may: "owner",
    ok: [404],
    abroad: true,
    given: () => ({ params: { erasureId: newId("receipt") } }),
  },
  createBackup: { may: "operator", ok: [202, 409], abroad: true, given: () => ({ body: {} }) },
  listBackups: { may: "operator", ok: [200], abroad: true },
  getBackup: {
    may: "operator",
    ok: [404],
    abroad: true,
    given: () => ({ params: { backupName: "berth-20260101T000000000Z.backup" } }),
  },
  getVault: { may: "operator", ok: [200], abroad: true },
  rotateVault: { may: "operator", ok: [200], abroad: true, given: () => ({ body: {} }) },
};
