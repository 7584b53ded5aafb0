import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { BerthError } from "../lib/errors.ts";
import { bytes, text } from "./sandbox-files.conformance.ts";
import { workspaceTests } from "./workspaces.conformance.ts";
import {
  type CreateHarness,
  deployment,
  makeSandbox,
  makeWorkspace,
  newLife,
  newRef,
  policy,
  type SandboxHarness,
} from "./sandbox-harness.conformance.ts";

/** What every provider must do with sandboxes and workspaces as such. */
export function sandboxLives(name: string, create: CreateHarness): void {
  describe(`lives of sandboxes: ${name}`, () => {
    let harness: SandboxHarness;
    beforeEach(async () => {
      harness = await create();
    });
    afterEach(() => harness.close());
    makingTests(() => harness);
    staleTests(() => harness);
    endingTests(() => harness);
    workspaceTests(() => harness);
    sweepTests(() => harness);
  });
  ttlTests(name, create);
}

function makingTests(harness: () => SandboxHarness): void {
  it("makes one sandbox of an id and an incarnation, however often it is asked", async () => {
    const { provider } = harness();
    const workspaceId = await makeWorkspace(harness());
    const [ref, life, spec] = [newRef(harness()), newLife(), { template: "test", policy, workspaceId }];
    const made = await Promise.all([1, 2, 3].map(() => provider.create(ref, spec, life)));
    for (const info of made) {
      expect(info).toMatchObject({ ...ref, incarnation: life.incarnation, deployment, template: "test" });
      expect(info).toMatchObject({ workspaceId, policy });
      expect(info.ttlLeftMs).toBeLessThanOrEqual(life.ttlMs);
      expect(info.url).toContain(ref.id);
    }
    expect((await provider.list(ref.host, deployment)).items).toHaveLength(1);
    expect(await provider.get(ref)).toMatchObject({ ...ref, incarnation: life.incarnation, workspaceId });
    await expect(provider.create(ref, spec, newLife())).rejects.toMatchObject({ code: "sandbox_stale" });
  });

  it("lists those of one deployment, and says what the host has room for", async () => {
    const { provider, host } = harness();
    const [one, two] = [await makeSandbox(harness()), await makeSandbox(harness())];
    const { items, unreadable } = await provider.list(host, deployment);
    expect(items.map(({ id }) => id).toSorted()).toEqual([one.ref.id, two.ref.id].toSorted());
    expect(unreadable).toBe(0);
    expect((await provider.list(host, "deployment-b")).items).toEqual([]);
    const found = (await provider.hosts()).find((each) => each.name === host);
    expect(found).toMatchObject({ healthy: true, draining: false, live: 2 });
    expect(found?.freeSlots).toBeGreaterThan(0);
    expect(found?.freeMemoryBytes).toBeGreaterThan(0);
  });

  it("SBX-21 refuses ids that could mean another place", async () => {
    const { provider, host } = harness();
    const spec = { template: "test", policy };
    for (const id of [
      "",
      "../x",
      "sbx_../../../../../../etc",
      "sbx_%2f",
      "sbx_a\r\nb",
      `sbx_${"a".repeat(300)}`,
    ]) {
      await expect(provider.create({ id, host }, spec, newLife())).rejects.toMatchObject({
        code: "sandbox_invalid",
      });
      expect(await provider.get({ id, host })).toBeNull();
      const workspace = { id: id.replace("sbx", "wsp"), host };
      await expect(provider.workspaces.create(workspace, policy.limits)).rejects.toMatchObject({
        code: "workspace_invalid",
      });
    }
  });

  it("makes none of a workspace that is not there, and leaves nothing of the attempt", async () => {
    const { provider, host } = harness();
    const spec = { template: "test", policy, workspaceId: "wsp_00000000000000000000000000" };
    await expect(provider.create(newRef(harness()), spec, newLife())).rejects.toMatchObject({
      code: "workspace_not_found",
    });
    expect(await provider.list(host, deployment)).toEqual({ items: [], unreadable: 0 });
  });

  it("SCH-09 tells the policy that is in force, and never a secret", async () => {
    const { provider } = harness();
    const { ref, incarnation } = await makeSandbox(harness());
    const secrets = [{ placeholder: "placeholder-0000", value: "canary-value" }];
    const changed = {
      limits: { ...policy.limits, memoryBytes: 256 * 1024 * 1024 },
      egress: { allow: [{ host: "api.example.com", ports: [443], secrets }] },
    };
    const told = await provider.apply(ref, { incarnation, policy: changed });
    expect(told.policy.limits).toEqual(changed.limits);
    expect(told.policy.egress.allow).toMatchObject([{ host: "api.example.com", ports: [443] }]);
    const again = await provider.get(ref);
    expect(again?.policy).toEqual(told.policy);
    expect(JSON.stringify([told, again, await provider.list(ref.host, deployment)])).not.toContain("canary");
  });

  it("gives a warm one its workspace once, or says that it cannot", async () => {
    const { provider, host } = harness();
    const [ref, life] = [newRef(harness()), newLife()];
    const { incarnation } = life;
    const warm = await provider.create(ref, { template: "test", policy }, life);
    expect(warm.workspaceId).toBeNull();
    const idle = await provider.connect(ref);
    await expect.poll(() => idle.health()).toEqual({ ok: true });
    const workspaceId = await makeWorkspace(harness());
    const files = await provider.workspaces.open({ id: workspaceId, host });
    await files?.write("there", bytes("before"));
    const attaching = provider.attach(ref, { incarnation, workspaceId });
    const refusal = await attaching.then(
      () => null,
      (thrown: unknown) => (thrown instanceof BerthError ? thrown.code : String(thrown)),
    );
    expect([null, "sandbox_unsupported"]).toContain(refusal);
    if (refusal !== null) return;
    const attached = await attaching;
    expect(attached).toMatchObject({ workspaceId });
    expect(await provider.attach(ref, { incarnation, workspaceId })).toMatchObject({ workspaceId });
    const sandbox = await provider.connect(ref);
    const { output } = await sandbox.exec({ command: "cat there; echo after > here", timeoutMs: 10_000 });
    expect(output).toBe("before");
    expect(text((await files?.read("here")) ?? new Uint8Array())).toBe("after\n");
    const other = await makeWorkspace(harness());
    await expect(provider.attach(ref, { incarnation, workspaceId: other })).rejects.toMatchObject({
      code: "sandbox_busy",
    });
  });
}

function staleTests(harness: () => SandboxHarness): void {
  it("SCH-07 refuses whoever names another incarnation, everywhere", async () => {
    const { provider } = harness();
    const { ref, sandbox } = await makeSandbox(harness());
    const incarnation = "00000000-0000-4000-8000-000000000000";
    const workspaceId = await makeWorkspace(harness());
    const attempts = [
      () => provider.renew(ref, { incarnation, ttlMs: 1 }),
      () => provider.apply(ref, { incarnation, policy }),
      () => provider.attach(ref, { incarnation, workspaceId }),
      () => provider.destroy(ref, { incarnation, reason: "stale" }),
    ];
    for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject({ code: "sandbox_stale" });
    expect((await sandbox.exec({ command: "echo lives", timeoutMs: 10_000 })).output).toBe("lives\n");
  });

  it("says that there is none where there is none", async () => {
    const { provider } = harness();
    const [ref, { incarnation }] = [newRef(harness()), newLife()];
    const workspaceId = await makeWorkspace(harness());
    expect(await provider.get(ref)).toBeNull();
    expect(await provider.destroy(ref, { incarnation, reason: "test" })).toBe("absent");
    const attempts = [
      () => provider.connect(ref),
      () => provider.renew(ref, { incarnation, ttlMs: 1 }),
      () => provider.apply(ref, { incarnation, policy }),
      () => provider.attach(ref, { incarnation, workspaceId }),
    ];
    for (const attempt of attempts)
      await expect(attempt()).rejects.toMatchObject({ code: "sandbox_not_found" });
  });
}

function endingTests(harness: () => SandboxHarness): void {
  it("ends processes at destroy, keeps the workspace, and may be asked again", async () => {
    const { provider } = harness();
    const { ref, incarnation, sandbox, workspaceId } = await makeSandbox(harness());
    await sandbox.files.write("kept", bytes("x"));
    const running = sandbox.exec({ command: "sleep 60", timeoutMs: 60_000 });
    await sandbox.spawn({ command: "sleep 60" });
    expect(await provider.destroy(ref, { incarnation, reason: "test" })).toBe("destroyed");
    expect(["killed", "lost"]).toContain((await running).reason);
    expect(await provider.destroy(ref, { incarnation, reason: "test" })).toBe("absent");
    expect(await provider.get(ref)).toBeNull();
    await expect(sandbox.exec({ command: "true", timeoutMs: 1_000 })).rejects.toMatchObject({
      code: "sandbox_lost",
    });
    const next = await makeSandbox(harness(), { workspaceId });
    expect(await next.sandbox.processes()).toEqual([]);
    expect((await next.sandbox.exec({ command: "cat kept", timeoutMs: 10_000 })).output).toBe("x");
  });

  it("gives an id that was destroyed to a new incarnation", async () => {
    const { provider } = harness();
    const { ref, incarnation, workspaceId } = await makeSandbox(harness());
    await provider.destroy(ref, { incarnation, reason: "test" });
    const life = newLife();
    await provider.create(ref, { template: "test", policy, workspaceId }, life);
    await expect(provider.destroy(ref, { incarnation, reason: "late" })).rejects.toMatchObject({
      code: "sandbox_stale",
    });
    expect(await provider.get(ref)).toMatchObject({ incarnation: life.incarnation });
  });

  it("ends everything when it is closed, and makes nothing after that", async () => {
    const { provider } = harness();
    const { sandbox, workspaceId } = await makeSandbox(harness());
    const running = sandbox.exec({ command: "sleep 60", timeoutMs: 60_000 });
    await provider.close();
    await provider.close();
    expect(["killed", "lost"]).toContain((await running).reason);
    const spec = { template: "test", policy, workspaceId };
    await expect(provider.create(newRef(harness()), spec, newLife())).rejects.toMatchObject({
      retryable: true,
    });
  });
}

function sweepTests(harness: () => SandboxHarness): void {
  it("SCH-05 sweeps nothing that lives, of its own deployment or another", async () => {
    const { provider, host } = harness();
    const { sandbox, ref } = await makeSandbox(harness());
    const { id } = await sandbox.spawn({ command: "echo up; sleep 60" });
    await expect.poll(async () => (await sandbox.logs(id))?.text).toBe("up\n");
    for (const whose of [deployment, "deployment-b"]) await provider.sweep(host, whose);
    expect((await sandbox.logs(id))?.process.running).toBe(true);
    expect(await provider.get(ref)).not.toBeNull();
  });
}

function ttlTests(name: string, create: CreateHarness): void {
  describe(`the time that sandboxes have: ${name}`, () => {
    it("SCH-08 ends one that nobody renews, by its own clock, whatever the wall clock says", async () => {
      const clock = createManualClock();
      const harness = await create({ clock });
      const { provider } = harness;
      try {
        const [kept, left] = [newRef(harness), newRef(harness)];
        const life = newLife(60_000);
        const spec = { template: "test", policy, workspaceId: await makeWorkspace(harness) };
        await provider.create(kept, spec, life);
        await provider.create(left, { ...spec, workspaceId: await makeWorkspace(harness) }, life);
        for (const step of [3_600_000, -7_200_000]) clock.stepWallClock(step);
        await clock.advance(59_000);
        expect(await provider.get(left)).toMatchObject({ ageMs: 59_000, ttlLeftMs: 1_000 });
        const renewed = await provider.renew(kept, { incarnation: life.incarnation, ttlMs: 60_000 });
        expect(renewed.ttlLeftMs).toBe(60_000);
        await clock.advance(2_000);
        await expect.poll(() => provider.get(left)).toBeNull();
        expect(await provider.get(kept)).toMatchObject({ ttlLeftMs: 58_000 });
      } finally {
        await harness.close();
      }
    });
  });
}
