import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type AllocationRig, openRig } from "../../test/support/sandbox/allocation-rig.ts";
import { auditDraft } from "../store/conformance/audit.conformance.ts";
import type { Allocation } from "./create-allocation.ts";
import type { SandboxGiven } from "./session-sandboxes.ts";

let rig: AllocationRig;
let allocation: Allocation;
beforeEach(() => {
  rig = openRig();
  allocation = rig.start();
});
afterEach(() => rig.close());

const run = { command: "true", timeoutMs: 1_000 };
const write = async (sandbox: Awaited<ReturnType<Allocation["sandboxes"]["connect"]>>) =>
  sandbox.files.write("mine", Buffer.from("x"));

describe("strategies", () => {
  it("Session-Exclusive: a sandbox and a workspace for each session, by default", async () => {
    const { sandboxes, directory } = allocation;
    const [one, two] = [await rig.session(), await rig.session()];
    const first = await sandboxes.connect(one);
    await write(first);
    const second = await sandboxes.connect(two);
    expect(second.id).not.toBe(first.id);
    expect(await second.files.stat("mine")).toBeNull();
    expect(await directory.find("org_1", first.id)).toMatchObject({
      strategy: "Session-Exclusive",
      state: "active",
      userId: "usr_1",
      sessions: [{ sessionId: one.sessionId, folder: null }],
      url: `fake://one/${first.id}`,
    });
    expect(await directory.find("org_2", first.id)).toBeNull();
  });

  it("connecting again asks neither the store nor the provider for anything", async () => {
    const request = await rig.session();
    const first = await allocation.sandboxes.connect(request);
    let asked = 0;
    rig.provider.faults.before = () => void (asked += 1);
    const reserve = vi.spyOn(rig.store.system.sandboxes, "reserve");
    for (let time = 0; time < 100; time++) expect(await allocation.sandboxes.connect(request)).toBe(first);
    expect(asked).toBe(0);
    expect(reserve).not.toHaveBeenCalled();
  });

  it("two connects at once are given the same one", async () => {
    const request = await rig.session();
    const [one, two] = await Promise.all([1, 2].map(() => allocation.sandboxes.connect(request)));
    expect(one).toBe(two);
    expect(rig.provider.instances()).toHaveLength(1);
  });

  it("User-Exclusive: not for a session that others use too", async () => {
    const { sandboxes, directory } = allocation;
    const strategy = "User-Exclusive";
    const own = await sandboxes.connect(await rig.session({ strategy }));
    const shared = await sandboxes.connect(await rig.session({ strategy, visibility: "org" }));
    expect(shared.id).not.toBe(own.id);
    expect(await directory.find("org_1", own.id)).toMatchObject({ strategy });
    expect(await directory.find("org_1", shared.id)).toMatchObject({ strategy: "Session-Exclusive" });
  });

  it("User-Exclusive: one live sandbox for a user, a folder for each session", async () => {
    const { sandboxes, directory } = allocation;
    const strategy = "User-Exclusive";
    const [one, two] = [await rig.session({ strategy }), await rig.session({ strategy })];
    const stranger = await rig.session({ strategy, userId: "usr_2" });
    const [first, second, third] = await Promise.all(
      [one, two, stranger].map((each) => sandboxes.connect(each)),
    );
    expect(first?.id).toBe(second?.id);
    expect(third?.id).not.toBe(first?.id);
    const { sessions } = (await directory.find("org_1", first?.id ?? "")) ?? { sessions: [] };
    const folders = [one, two].map(({ sessionId }) => ({ sessionId, folder: sessionId }));
    expect(sessions).toHaveLength(2);
    expect(sessions).toEqual(expect.arrayContaining(folders));
    // The others of the user go on; only this session's command ends.
    const [ended, goesOn] = [
      first?.exec({ ...run, command: "hold" }),
      second?.exec({ ...run, command: "hold" }),
    ];
    await sandboxes.release(one);
    expect((await ended)?.reason).toBe("killed");
    await expect(first?.exec(run)).rejects.toMatchObject({ code: "sandbox_gone", retryable: true });
    expect(await second?.exec(run)).toMatchObject({ reason: "exit" });
    expect((await directory.allocations("org_1", { limit: 9, isActive: true })).items).toHaveLength(2);
    await sandboxes.release(two);
    expect((await goesOn)?.reason).toBe("killed");
    expect(rig.provider.instances()).toHaveLength(2);
    expect((await sandboxes.connect(one)).id).toBe(first?.id);
  });

  it("User-Exclusive: a session's files go with it, the workspace with the last", async () => {
    const { sandboxes } = allocation;
    const strategy = "User-Exclusive";
    const [one, two] = [await rig.session({ strategy }), await rig.session({ strategy })];
    await sandboxes.connect(one);
    await sandboxes.connect(two);
    expect(rig.provider.kept.size).toBe(1);
    expect(await sandboxes.destroy(one)).toBe("destroyed");
    expect(rig.provider.kept.size).toBe(1);
    expect(rig.provider.instances()).toHaveLength(1);
    expect(await sandboxes.destroy(two)).toBe("destroyed");
    expect(await sandboxes.destroy(two)).toBe("absent");
    expect(rig.provider.kept.size).toBe(0);
    expect(rig.provider.instances()).toHaveLength(0);
  });

  it("Shared-Pool: capacity is shared, a claimed sandbox serves one session and is destroyed when given back", async () => {
    await allocation.sandboxes.close();
    const { sandboxes } = (allocation = rig.start({ warm: 2 }));
    await sandboxes.reapLeftovers();
    await rig.clock.advance(10);
    const warm = rig.provider.instances().map(({ ref }) => ref.id);
    expect(warm).toHaveLength(2);
    const strategy = "Shared-Pool";
    const [one, two] = [await rig.session({ strategy }), await rig.session({ strategy, userId: "usr_2" })];
    const given = [await sandboxes.connect(one), await sandboxes.connect(two)];
    expect(given.map(({ id }) => id).toSorted()).toEqual(warm.toSorted());
    await sandboxes.release(one);
    expect(rig.provider.destroyed).toEqual([given[0]?.id]);
    expect((await sandboxes.connect(one)).id).not.toBe(given[0]?.id);
  });

  it("the agent's wish goes before the user's config, that before the organization's default", async () => {
    const { sandboxes, directory } = allocation;
    const orgId = "org_2";
    const strategies = async (userId: string, strategy?: "Shared-Pool") => {
      const request = await rig.session({ orgId, userId, ...(strategy && { strategy }) });
      const { id } = await sandboxes.connect(request);
      return (await directory.find(orgId, id))?.strategy;
    };
    await rig.store.system.identity.createOrg({
      orgId,
      caller: "usr_0",
      slug: "two",
      name: "Two",
      audit: auditDraft(),
    });
    await rig.store.org(orgId).identity.updateOrg({
      settings: { sandbox: { strategy: "Shared-Pool", egress: [{ host: "example.com" }], perUser: 2 } },
      audit: auditDraft(),
    });
    expect(await strategies("usr_a")).toBe("Shared-Pool");
    await rig.store.org(orgId).userConfig.put({
      userId: "usr_b",
      ifVersion: 0,
      settings: { ...plainConfig, sandboxAllocationStrategy: "User-Exclusive" },
      secrets: { put: [], drop: [], by: "usr_b" },
      audit: auditDraft(),
    });
    expect(await strategies("usr_b")).toBe("User-Exclusive");
    expect(await strategies("usr_b", "Shared-Pool")).toBe("Shared-Pool");
    expect(rig.provider.instances()[0]?.policy.egress.allow).toEqual([{ host: "example.com" }]);
  });

  it("a session keeps the strategy that its workspace was made with", async () => {
    const { sandboxes, directory } = allocation;
    const request = await rig.session();
    await sandboxes.workspace(request);
    const { id } = await sandboxes.connect({ ...request, wish: { strategy: "User-Exclusive" } });
    expect(await directory.find("org_1", id)).toMatchObject({ strategy: "Session-Exclusive" });
  });

  it("tells what a session was given, and what it had before", async () => {
    const { sandboxes } = allocation;
    const told: SandboxGiven[] = [];
    const request = { ...(await rig.session()), onGiven: (given: SandboxGiven) => void told.push(given) };
    const first = await sandboxes.connect(request);
    await sandboxes.connect(request);
    rig.provider.lose(first.id);
    await expect(first.exec(run)).rejects.toMatchObject({ code: "sandbox_lost", retryable: true });
    const second = await sandboxes.connect(request);
    expect(told).toEqual([
      { sandboxId: first.id, allocationStrategy: "Session-Exclusive", warm: false },
      {
        sandboxId: second.id,
        allocationStrategy: "Session-Exclusive",
        warm: false,
        before: { sandboxId: first.id, reason: "lost" },
      },
    ]);
  });
});

const plainConfig = {
  sandboxAllocationStrategy: "Session-Exclusive",
  sandboxPoolQuota: 5,
  autoScrollEnabled: true,
  taskCompletionNotificationEnabled: true,
  inputSuggestionsEnabled: true,
  sharedLinks: [],
  customSpFragments: [],
  modelProviders: [],
} as const;
