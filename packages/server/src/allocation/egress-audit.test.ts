import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import type { EgressDecision } from "../sandbox/egress-decision.ts";
import {
  activate,
  active,
  destroying,
  ownerIn,
  reserve,
  warm,
} from "../store/conformance/sandbox-scene.conformance.ts";
import { useStore } from "../store/conformance/scene.conformance.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { silentTelemetry } from "../telemetry/telemetry.ts";
import { EgressAudit } from "./egress-audit.ts";

const denied = (host: string): EgressDecision => ({
  host,
  port: 443,
  method: "CONNECT",
  verdict: "denied",
  reason: "not_listed",
  address: null,
  count: 1,
  bytesOut: 0,
  bytesIn: 0,
});

describe("the audit of egress", () => {
  const scene = useStore(async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "berth-egress-audit-"));
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

  async function audited() {
    const here = scene();
    const { store, clock, org } = here;
    const owner = await ownerIn(here);
    const sandbox = await active(here, owner);
    const telemetry = silentTelemetry();
    const audit = new EgressAudit({ store, clock, telemetry });
    const entries = async () => {
      await audit.settled();
      return (await org.audit.list({ action: "sandbox.egress_denied", limit: 200, oldestFirst: true })).items;
    };
    return { here, store, owner, sandbox, telemetry, audit, entries };
  }

  it("tells the first denial of each host of a sandbox, in its organization, and counts all", async () => {
    const { audit, sandbox, owner, entries, telemetry } = await audited();
    audit.decided(sandbox.id, denied("a.test"));
    audit.decided(sandbox.id, { ...denied("a.test"), count: 500 });
    audit.decided(sandbox.id, { ...denied("b.test"), reason: "address_refused" });
    audit.decided(sandbox.id, { ...denied("c.test"), verdict: "allowed", reason: "allowed", bytesIn: 9 });
    expect(await entries()).toMatchObject([
      {
        action: "sandbox.egress_denied",
        outcome: "refused",
        actor: { type: "system", id: "egress" },
        target: { type: "sandbox", id: sandbox.id },
        details: {
          host: "a.test",
          port: 443,
          reason: "not_listed",
          sessionId: owner.sessionId,
          userId: owner.userId,
        },
      },
      { details: { host: "b.test", reason: "address_refused" } },
    ]);
    const text = await telemetry.metrics.text();
    expect(text).toContain('berth_sandbox_egress_total{decision="denied",reason="not_listed"} 501');
    expect(text).toContain('berth_sandbox_egress_bytes_total{direction="in"} 9');
  });

  it("tells at most a hundred of one sandbox", async () => {
    const { audit, sandbox, entries } = await audited();
    for (let at = 0; at < 150; at++) audit.decided(sandbox.id, denied(`${at}.test`));
    expect(await entries()).toHaveLength(100);
  });

  it("counts what nobody's sandbox does, and tells no organization", async () => {
    const { audit, entries, telemetry } = await audited();
    const { id } = await warm(scene());
    audit.decided(id, denied("a.test"));
    audit.decided("sbx_none", denied("a.test"));
    expect(await entries()).toEqual([]);
    expect(await telemetry.metrics.text()).toContain(
      'berth_sandbox_egress_total{decision="denied",reason="not_listed"} 2',
    );
  });

  it("lets a sandbox host tell of what it has and of nothing else, also a moment after its end", async () => {
    const { here, audit, sandbox: local, entries, telemetry } = await audited();
    const { sandboxes } = here.store.system;
    const owner = await ownerIn(here);
    const reserved = await reserve(here, owner, { provider: "remote" });
    if (reserved.kind !== "new") throw new Error("there is one already");
    const { id, incarnation } = reserved.record;
    await sandboxes.move({ id, incarnation, from: ["requested"], to: "creating", host: "a" });
    await activate(here, owner, { id, incarnation });
    expect(await Promise.all(["a", "b", "local"].map((host) => audit.isOn(id, host)))).toEqual([
      true,
      false,
      false,
    ]);
    expect([await audit.isOn("sbx_none", "a"), await audit.isOn(local.id, "local")]).toEqual([false, false]);
    await sandboxes.move(destroying({ id, incarnation }));
    await sandboxes.move({ id, incarnation, from: ["destroying"], to: "destroyed" });
    expect(await sandboxes.find(id)).toMatchObject({ state: "destroyed" });
    audit.decided(id, denied("late.test"));
    expect(await entries()).toMatchObject([{ target: { id }, details: { host: "late.test" } }]);
    audit.lost({ host: "a", why: "foreign", count: 3 });
    expect(await telemetry.metrics.text()).toContain(
      'berth_sandbox_egress_lost_total{host="a",why="foreign"} 3',
    );
  });

  it("says so when the store fails, and goes on", async () => {
    const { audit, sandbox, entries, telemetry, store } = await audited();
    vi.spyOn(store.system.sandboxes, "find").mockRejectedValueOnce(new Error("store is away"));
    audit.decided(sandbox.id, denied("a.test"));
    await audit.settled();
    audit.decided(sandbox.id, denied("a.test"));
    expect(await entries()).toHaveLength(1);
    expect(await telemetry.metrics.text()).toContain('berth_unexpected_errors_total{where="egress audit"} 1');
  });
});
