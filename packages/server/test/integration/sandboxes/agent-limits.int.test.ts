// What an agent wants of its sandbox holds whoever comes first: its files, a command by API, or a tool.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { agentDefinition } from "@berth/contract";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Allocation, createAllocation } from "../../../src/allocation/create-allocation.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { newId } from "../../../src/lib/id.ts";
import { noUsage } from "../../../src/session/state.ts";
import type { Store } from "../../../src/store/store.ts";
import { silentTelemetry } from "../../../src/telemetry/telemetry.ts";
import { testSettings } from "../../support/sandbox/allocation-rig.ts";
import { type BubblewrapRig, makeBubblewrap } from "../../support/sandbox/bubblewrap-rig.ts";
import { openMemoryStore } from "../../support/store/memory-store.ts";

const mebibyte = 1024 * 1024;
const orgId = "org_1";
let folder: string;
let rig: BubblewrapRig;
let store: Store;
let allocation: Allocation;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-limits-"));
  rig = await makeBubblewrap({ dataDir: join(folder, "data") });
  store = openMemoryStore(systemClock) as Store;
  allocation = createAllocation({
    store,
    provider: rig.provider,
    closeProvider: () => rig.close(),
    clock: systemClock,
    telemetry: silentTelemetry(),
    settings: { ...testSettings, maxLimits: { diskBytes: 1_024 * mebibyte } },
  });
});
afterAll(async () => {
  await allocation.sandboxes.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

async function session(): Promise<{ readonly orgId: string; readonly sessionId: string }> {
  const [id, sessionId] = [newId("agent"), newId("session")];
  const sandbox = { memory: 128, disk: 24, egress: [] };
  await store.org(orgId).createAgent({
    id,
    definition: agentDefinition.parse({ name: `agent-${id.slice(-8)}`, model: "demo/tour", sandbox }),
  });
  await store.org(orgId).createSession({
    row: {
      orgId,
      id: sessionId,
      agent: { id, version: 1, name: "helper" },
      owner: "usr_1",
      key: null,
      title: null,
      metadata: {},
      model: null,
      status: "idle",
      currentRunId: null,
      forkedFrom: null,
      usage: noUsage,
    },
    events: [{ seq: 1, type: "session.created", json: '{"seq":1,"type":"session.created"}' }],
  });
  return { orgId, sessionId };
}

async function fillDisk(place: { readonly orgId: string; readonly sessionId: string }): Promise<number> {
  const sandbox = await allocation.sandboxes.connect(place);
  const command = "cat first 2>/dev/null; head -c 100M /dev/zero >large 2>/dev/null; stat -c 'size %s' large";
  const { output } = await sandbox.exec({ command, timeoutMs: 20_000 });
  return Number(/size (\d+)/.exec(output)?.[1]);
}

it("holds when the workspace was used before there was a sandbox", async () => {
  const place = await session();
  const files = await allocation.sandboxes.workspace(place);
  await files.write("first", Buffer.from("from before\n"));
  const written = await fillDisk(place);
  expect(written).toBeGreaterThan(10 * mebibyte);
  expect(written).toBeLessThanOrEqual(24 * mebibyte);
  await allocation.sandboxes.destroy(place);
});

it("holds when a sandbox is asked for without a wish", async () => {
  const place = await session();
  const { id } = await allocation.sandboxes.connect(place);
  const held = await allocation.directory.find(orgId, id);
  expect(held?.policy.limits).toMatchObject({ memoryBytes: 128 * mebibyte, diskBytes: 24 * mebibyte });
  expect(await fillDisk(place)).toBeLessThanOrEqual(24 * mebibyte);
  await allocation.sandboxes.destroy(place);
});

it("holds a sandbox that is there to what its agent wants now when somebody uses it", async () => {
  const place = await session();
  const { id } = await allocation.sandboxes.connect(place);
  const secrets = [{ placeholder: "berth_secret_of-now", value: "canary-wish" }];
  const egress = { allow: [{ host: "api.example.com", secrets }] };
  const inForce = async () =>
    (await rig.provider.get({ id, host: "local" }))?.policy.egress.allow.map((rule) => rule.secrets);
  await allocation.directory.connect(orgId, id);
  expect(await inForce()).toEqual([]);
  await allocation.directory.connect(orgId, id, { egress });
  expect(await inForce()).toEqual([[expect.objectContaining({ placeholder: "berth_secret_of-now" })]]);
  await allocation.sandboxes.destroy(place);
});
