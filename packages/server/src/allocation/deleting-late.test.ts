import { afterEach, describe, expect, it } from "vitest";
import { type AllocationRig, openRig } from "../../test/support/sandbox/allocation-rig.ts";
import type { SandboxRequest } from "./session-sandboxes.ts";

let rig: AllocationRig;
afterEach(() => rig.close());

const remove = ({ orgId, sessionId }: SandboxRequest) =>
  rig.store.org(orgId).deleteSession(sessionId, {
    id: `aud_${sessionId}`,
    actor: { type: "user", id: "usr_1", name: "One" },
    credential: null,
    action: "session.deleted",
    target: { type: "session", id: sessionId },
    outcome: "done",
    requestId: null,
    address: null,
    details: {},
  });
const left = () => rig.store.system.sandboxes.orphanedWorkspaces(100);

describe("the files of a session that is deleted", () => {
  it("are the upkeep's to remove when their host is dead, and those of others are removed meanwhile", async () => {
    rig = openRig({ hosts: ["a", "b"] });
    const server = rig.start();
    const [dead, other] = [await rig.session(), await rig.session()];
    await server.sandboxes.workspace(dead);
    const host = (await rig.store.org(dead.orgId).sandboxes.workspace(dead.sessionId))?.host ?? "";
    rig.provider.draining.add(host);
    await server.sandboxes.workspace(other);
    rig.provider.down.add(host);
    await remove(dead);
    expect(await server.sandboxes.destroy(dead, { withinMs: 2_000 })).toBe("left");
    await remove(other);
    expect(await left()).toHaveLength(2);
    await server.sandboxes.reapLeftovers();
    expect(await left()).toEqual([expect.objectContaining({ sessionId: dead.sessionId })]);
    rig.provider.down.clear();
    await server.sandboxes.reapLeftovers();
    expect([await left(), rig.provider.kept.size]).toEqual([[], 0]);
  });

  it("are answered for in time by a host that says nothing, and go on being removed", async () => {
    rig = openRig();
    const server = rig.start();
    const silent = await rig.session();
    await server.sandboxes.connect(silent);
    const { promise, resolve } = Promise.withResolvers<void>();
    rig.provider.faults.before = (operation) => (operation === "destroy" ? promise : undefined);
    await remove(silent);
    const asked = server.sandboxes.destroy(silent, { withinMs: 2_000 });
    await rig.clock.advance(1_999);
    expect(await Promise.race([asked, Promise.resolve("waits")])).toBe("waits");
    await rig.clock.advance(1);
    expect(await asked).toBe("left");
    resolve();
    await server.sandboxes.close();
    expect(rig.provider.kept.size).toBe(0);
  });
});
