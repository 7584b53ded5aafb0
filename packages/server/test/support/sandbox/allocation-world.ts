import assert from "node:assert/strict";
import fc from "fast-check";
import type { SandboxRequest } from "../../../src/allocation/session-sandboxes.ts";
import { BerthError } from "../../../src/lib/errors.ts";
import { failpoints } from "../../../src/lib/failpoint.ts";
import { newId } from "../../../src/lib/id.ts";
import { beginLife, type Life } from "./allocation-life.ts";
import type { AllocationRig } from "./allocation-rig.ts";

const perUser = 2;
const perOrg = 3;
const settings = { perUser, perOrg, warm: 1, waitMs: 5_000, idleTtlMs: 60_000 };
const places = failpoints.filter((name) => name.startsWith("allocation."));
/** What may end a sandbox although something runs in it: its own session's end, or its own death. */
const mayEndBusy: readonly string[] = ["released", "session_deleted", "lost", "host_lost"];

const session = fc.nat({ max: 5 });
export const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("connect" as const), session }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("hold" as const), session }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("letGo" as const), session }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("release" as const), session }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete" as const), session }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(10, 1_500, 6_000, 65_000) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("lose" as const), session }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("fail" as const),
      what: fc.constantFrom("create", "created", "destroy", "list", "attach", "partial"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("dieAt" as const), place: fc.constantFrom(...places) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("host" as const),
      host: fc.constantFrom("one", "two"),
      becomes: fc.constantFrom("well", "draining", "down"),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const down = () => new BerthError("sandbox_host_error", "The host does not answer.", { retryable: true });

/** One server after another, two organizations, three users, six sessions of every strategy. */
export class AllocationWorld {
  readonly rig: AllocationRig;
  life: Life;
  requests: SandboxRequest[] = [];
  owners: string[] = [];
  readonly holding = new Map<number, AbortController>();
  readonly failing = new Set<string>();
  /** Workspaces that were there as a session's. */
  readonly hadFiles = new Set<string>();

  constructor(rig: AllocationRig) {
    this.rig = rig;
    this.life = beginLife(rig, settings);
    const { faults } = rig.provider;
    const failsOnce = (what: string) => {
      if (this.failing.delete(what)) throw down();
    };
    faults.before = (operation) => failsOnce(operation);
    faults.after = (operation) => failsOnce(operation === "create" ? "created" : "");
    faults.listed = (list) => (this.failing.delete("partial") ? { ...list, items: [] } : list);
  }

  async open(): Promise<void> {
    const [a, b] = [newId("org"), newId("org")];
    const strategies = [
      "Session-Exclusive",
      "Session-Exclusive",
      "User-Exclusive",
      "User-Exclusive",
      "Shared-Pool",
      "Session-Exclusive",
    ] as const;
    for (const [at, strategy] of strategies.entries()) {
      const userId = at === 4 ? "usr_2" : "usr_1";
      const orgId = at === 5 ? b : a;
      this.requests.push(await this.rig.session({ orgId, userId, strategy }));
      this.owners.push(`${orgId}/${userId}`);
    }
    await this.life.sandboxes.reapLeftovers();
  }

  async do(one: Step): Promise<void> {
    switch (one.do) {
      case "connect":
        this.#behind(this.#connect(one.session));
        break;
      case "hold": {
        if (this.holding.has(one.session)) break;
        const stop = new AbortController();
        this.holding.set(one.session, stop);
        const spec = { command: "hold", timeoutMs: 1_000, signal: stop.signal };
        const running = this.#connect(one.session)
          .then((sandbox) => sandbox.exec(spec))
          .finally(() => this.holding.delete(one.session));
        this.#behind(running);
        break;
      }
      case "letGo":
        this.holding.get(one.session)?.abort();
        break;
      case "release":
        this.#behind(this.life.sandboxes.release(this.#request(one.session)));
        break;
      case "delete":
        this.#behind(this.life.sandboxes.destroy(this.#request(one.session)));
        break;
      case "lose": {
        const instances = this.rig.provider.instances();
        const lost = instances[one.session % Math.max(1, instances.length)];
        if (lost !== undefined) this.rig.provider.lose(lost.ref.id);
        break;
      }
      case "fail":
        this.failing.add(one.what);
        break;
      case "dieAt":
        this.life.arm(one.place);
        break;
      case "restart":
        this.life.kill();
        break;
      case "host":
        this.#hostBecomes(one.host, one.becomes);
        break;
      case "wait":
        await this.rig.clock.advance(one.ms);
        break;
    }
    await this.rig.clock.advance(0);
    if (this.life.isDead()) await this.restart();
  }

  /** As a run does: what went with a dead host begins anew. */
  async #connect(at: number) {
    const { sandboxes } = this.life;
    const request = this.#request(at);
    try {
      return await sandboxes.connect(request);
    } catch (error) {
      if (!(error instanceof BerthError) || error.code !== "workspace_lost") throw error;
      await sandboxes.workspace(request, (files) => files.write("begun", Buffer.from("anew")));
      return await sandboxes.connect(request);
    }
  }

  /** What is on a host that goes down is gone, but for files. */
  #hostBecomes(host: string, becomes: "well" | "draining" | "down"): void {
    const { provider } = this.rig;
    provider.down.delete(host);
    provider.draining.delete(host);
    if (becomes === "draining") provider.draining.add(host);
    if (becomes !== "down") return;
    for (const { ref } of provider.instances()) if (ref.host === host) provider.lose(ref.id);
    provider.down.add(host);
  }

  /** The store knows that who held it is dead; commands of a dead server are nobody's. */
  async restart(): Promise<void> {
    this.life.kill();
    await this.rig.store.system.sandboxes.removeInstance(this.life.instanceId);
    this.holding.clear();
    for (const { running } of this.rig.provider.instances()) running.clear();
    this.life = beginLife(this.rig, settings);
    this.#behind(this.life.sandboxes.reapLeftovers());
    await this.rig.clock.advance(0);
  }

  async check(): Promise<void> {
    const rows = await this.rig.live();
    const held = rows.filter(({ state }) => ["requested", "creating", "claimed", "active"].includes(state));
    const count = (key: (row: (typeof held)[number]) => string) => {
      const counts = new Map<string, number>();
      for (const row of held) if (row.orgId !== null) counts.set(key(row), (counts.get(key(row)) ?? 0) + 1);
      return Math.max(0, ...counts.values());
    };
    assert.ok(count(({ orgId, userId }) => `${orgId}/${userId}`) <= perUser, "a user has more than may be");
    assert.ok(count(({ orgId }) => String(orgId)) <= perOrg, "an organization has more than may be");
    // Never a busy one, whoever wants its place.
    assert.deepEqual(
      this.rig.provider.endedBusy.filter(({ reason }) => !mayEndBusy.includes(reason)),
      [],
    );
    const instances = new Map(this.rig.provider.instances().map((one) => [one.ref.id, one]));
    await this.#checkFiles();
    for (const row of rows.filter(({ state }) => state === "active"))
      await this.#checkUse(row, instances.get(row.id)?.workspaceId);
  }

  /** A workspace that is a session's is on its host, and is not about to be removed. */
  async #checkFiles(): Promise<void> {
    const { store, provider } = this.rig;
    const own = await store.system.sandboxes.deployment();
    const lists = ["one", "two"].map((host) => store.system.sandboxes.leftoverWorkspaces(host, own));
    const leftovers = new Set((await Promise.all(lists)).flat().map(({ workspaceId }) => workspaceId));
    for (const { orgId, sessionId } of this.requests) {
      const row = await store.org(orgId).sandboxes.workspace(sessionId);
      if (row === null) continue;
      assert.ok(!leftovers.has(row.workspaceId), "a session's workspace would be removed");
      const place = provider.placed.get(row.workspaceId);
      if (place !== undefined) assert.equal(place, row.host);
      else assert.ok(!this.hadFiles.has(row.workspaceId), "a session's workspace was removed");
      if (place !== undefined) this.hadFiles.add(row.workspaceId);
    }
  }

  /** Every session is where its own files are, and alone, unless it is one user's. */
  async #checkUse(
    row: Awaited<ReturnType<AllocationRig["live"]>>[number],
    workspaceId: string | null | undefined,
  ): Promise<void> {
    const org = this.rig.store.org(row.orgId ?? "");
    const users = await org.sandboxes.sessionsIn(row.id);
    if (row.strategy !== "User-Exclusive") assert.ok(users.length <= 1, "a sandbox serves several sessions");
    for (const { sessionId } of users) {
      const at = this.requests.findIndex((request) => request.sessionId === sessionId);
      assert.equal(this.owners[at], `${row.orgId}/${row.userId}`);
      const files = await org.sandboxes.workspace(sessionId);
      if (workspaceId !== undefined) assert.equal(files?.workspaceId, workspaceId);
    }
  }

  /** After a restart and two sweeps hosts have what the store says, and nothing is on its way. */
  async settle(): Promise<void> {
    for (const stop of this.holding.values()) stop.abort();
    this.failing.clear();
    for (const host of ["one", "two"]) this.#hostBecomes(host, "well");
    await this.restart();
    await this.rig.clock.advance(65_000);
    await this.rig.clock.advance(65_000);
    const rows = await this.rig.live();
    assert.deepEqual(
      rows.filter(({ state }) => state !== "warm" && state !== "active"),
      [],
    );
    assert.deepEqual(
      this.rig.provider
        .instances()
        .map(({ ref }) => ref.id)
        .toSorted(),
      rows.map(({ id }) => id).toSorted(),
    );
    const { items } = await this.rig.store
      .org(this.requests[0]?.orgId ?? "")
      .sandboxes.listAllocations({ limit: 100, active: true });
    for (const { sandboxId } of items)
      assert.ok(
        rows.some(({ id }) => id === sandboxId),
        "an allocation of a sandbox that is gone",
      );
  }

  async end(): Promise<void> {
    const closed = this.life.sandboxes.close();
    await this.rig.clock.advance(11_000);
    await closed;
    assert.deepEqual(this.rig.provider.instances(), []);
    assert.deepEqual(await this.rig.live(), []);
  }

  #request(at: number): SandboxRequest {
    const request = this.requests[at];
    if (request === undefined) throw new Error("no such session");
    return request;
  }

  /** Refusals are no matter here; what must never be, is looked for afterwards. */
  #behind(call: Promise<unknown>): void {
    call.catch((error: unknown) => {
      if (!(error instanceof BerthError)) throw error;
    });
  }
}
