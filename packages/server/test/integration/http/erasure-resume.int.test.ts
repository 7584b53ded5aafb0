import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { sealAuditJob } from "../../../src/jobs/seal-audit.ts";
import { newId } from "../../../src/lib/id.ts";
import type { OperationsContext } from "../../../src/operations/context.ts";
import { runErasure } from "../../../src/operations/run-erasure.ts";
import type { ErasureRecord } from "../../../src/store/data.ts";
import { type Api, useApi } from "../../support/http/api.ts";
import { entry } from "../../support/security/tenant.ts";

const start = useApi();

/** An erasure of whoever the tests are, who has a session with two files. */
async function begun(api: Api): Promise<ErasureRecord> {
  const { orgId } = api.harness;
  await api.agent();
  const session = await api.session();
  for (const name of ["one", "two"])
    await api.put(`/sessions/${session.id}/files/${name}`, new TextEncoder().encode(`${name} file`));
  const { id: target } = api.principal;
  const record = { id: newId("receipt"), scope: "user", target, requestedBy: target, toldTo: orgId } as const;
  const change = { record, audit: entry("erasure.requested") };
  const { result } = await api.operations.store.org(orgId).data.createErasure(change);
  const { store, clock, audit } = api.operations;
  const sealing = { audit: store.system.audit, anchors: audit.anchors, key: audit.key, clock };
  await sealAuditJob(sealing).run(new AbortController().signal);
  return result;
}

const attempt = (context: OperationsContext, erasure: ErasureRecord, signal = new AbortController().signal) =>
  runErasure(context, erasure, signal);

const blobsOf = async ({ harness }: Api) =>
  (await readdir(join(harness.dataDir, "blobs"), { recursive: true })).filter((path) =>
    /[0-9a-f]{64}$/.test(path),
  );

it("goes on where it was broken off, at any file", async () => {
  const api = await start();
  const { operations } = api;
  const erasure = await begun(api);
  expect((await blobsOf(api)).length).toBeGreaterThan(1);
  const dying = new AbortController();
  const blobs = {
    ...operations.blobs,
    async delete(orgId: string, hash: string) {
      await operations.blobs.delete(orgId, hash);
      dying.abort();
    },
  };
  expect(await attempt({ ...operations, blobs }, erasure, dying.signal)).toBe(false);
  expect((await blobsOf(api)).length).toBeGreaterThan(0);
  const { data } = operations.store.system;
  expect(await data.openErasures(5)).toHaveLength(1);
  expect(await attempt(operations, erasure)).toBe(true);
  expect(await blobsOf(api)).toEqual([]);
  expect(await data.findErasure(erasure.id)).toMatchObject({ status: "done", error: null });
});

it("says what hinders it and is done once that is mended", async () => {
  const api = await start();
  const { operations } = api;
  const erasure = await begun(api);
  const sandboxes = {
    ...operations.sandboxes,
    destroy: () => Promise.reject(new Error("the disk went away")),
  };
  expect(await attempt({ ...operations, sandboxes }, erasure)).toBe(false);
  const { data } = operations.store.system;
  expect(await data.findErasure(erasure.id)).toMatchObject({
    status: "running",
    error: "the disk went away",
  });
  expect(await attempt(operations, erasure)).toBe(true);
  const receipt = await data.findErasure(erasure.id);
  expect(receipt).toMatchObject({ status: "done", error: null, counts: { sessions: 1, workspaces: 1 } });
});
