import { beforeEach, describe, expect, it } from "vitest";
import type { QuotaName } from "@berth/contract";
import { BerthError } from "../../lib/errors.ts";
import { newId } from "../../lib/id.ts";
import { auditDraft } from "./audit.conformance.ts";
import { agentNamed, type OpenStore, refusal, type Scene, useStore } from "./scene.conformance.ts";

const hash = (letter: string) => letter.repeat(64);

async function used({ org }: Scene): Promise<Partial<Record<QuotaName, number>>> {
  return Object.fromEntries((await org.limits.quotas()).map(({ name, used: count }) => [name, count]));
}

const set = ({ org }: Scene, quotas: Partial<Record<QuotaName, number | null>>) =>
  org.limits.setQuotas({ quotas, audit: auditDraft({ action: "quota.set" }) });

const agent = ({ org }: Scene, name: string) =>
  org.createAgent({ id: newId("agent"), definition: agentNamed(name) }).then(({ result }) => result);

export function limitsConformance(open: OpenStore): void {
  describe("quotas", () => {
    const scene = useStore(open);
    beforeEach(() => scene().store.system.limits.setDefaults({}));
    settingTests(scene);
    countingTests(scene);
  });
}

function settingTests(scene: () => Scene): void {
  it("are the organization's own, else the server's default, else none", async () => {
    const here = scene();
    const limits = async () =>
      (await here.org.limits.quotas())
        .filter(({ name }) => name === "sessions" || name === "agents")
        .map(({ name, limit, source }) => [name, limit, source]);
    expect(await limits()).toEqual([
      ["sessions", null, "default"],
      ["agents", null, "default"],
    ]);
    await here.store.system.limits.setDefaults({ sessions: 10, agents: 5 });
    await set(here, { sessions: null, agents: 7 });
    expect(await limits()).toEqual([
      ["sessions", null, "org"],
      ["agents", 7, "org"],
    ]);
    await set(here, { agents: 0 });
    expect(await limits()).toEqual([
      ["sessions", 10, "default"],
      ["agents", 0, "org"],
    ]);
    expect((await here.org.audit.list({ limit: 10 })).items.map(({ action }) => action)).toEqual([
      "quota.set",
      "quota.set",
    ]);
  });

  it("say what share an organization has", async () => {
    const here = scene();
    expect(await here.org.limits.share()).toEqual({ weight: 1, runningSessions: null });
    await set(here, { runningSessions: 3 });
    expect(await here.org.limits.share()).toEqual({ weight: 1, runningSessions: 3 });
  });

  it("I10: of one organization are nothing to another", async () => {
    const here = scene();
    const other = here.neighbour();
    await set(here, { agents: 1, sessions: 1, storedBytes: 10 });
    await agent(here, "one");
    await here.create();
    await here.store.system.noteBlob({ orgId: here.orgId, hash: hash("a"), size: 10 });
    await agent(other, "one");
    await agent(other, "two");
    await other.create();
    await other.create();
    await other.store.system.noteBlob({ orgId: other.orgId, hash: hash("a"), size: 100 });
    expect(await used(other)).toMatchObject({ agents: 2, sessions: 2, storedBytes: 100 });
    expect(await used(here)).toMatchObject({ agents: 1, sessions: 1, storedBytes: 10 });
  });
}

function countingTests(scene: () => Scene): void {
  it("bound sessions, and a deleted one makes room", async () => {
    const here = scene();
    await set(here, { sessions: 2 });
    const { id } = await here.create();
    const { id: parent } = await here.create();
    expect(await refusal(here.create())).toBe("quota_exceeded");
    const fork = { sessionId: parent, seq: 1, copy: false };
    expect(await refusal(here.create({}, { fork }))).toBe("quota_exceeded");
    await here.org.deleteSession(id);
    await here.create();
    expect(await used(here)).toMatchObject({ sessions: 2 });
  });

  it("say what there are too many of", async () => {
    const here = scene();
    await set(here, { agents: 0 });
    const thrown: unknown = await agent(here, "one").catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(BerthError);
    expect(thrown).toMatchObject({
      code: "quota_exceeded",
      message: expect.stringContaining("may have 0 agents"),
      details: { quota: "agents", limit: 0, wanted: 1 },
    });
  });

  it("bound agents that are not archived", async () => {
    const here = scene();
    await set(here, { agents: 1 });
    const { id } = await agent(here, "one");
    expect(await refusal(agent(here, "two"))).toBe("quota_exceeded");
    await here.org.archiveAgent(id, true);
    await agent(here, "two");
    expect(await refusal(here.org.archiveAgent(id, false))).toBe("quota_exceeded");
    await here.org.putAgent({ id, definition: agentNamed("one") });
  });

  it("bound the bytes of blobs, each content once", async () => {
    const here = scene();
    const { orgId } = here;
    const note = (letter: string, size: number) =>
      here.store.system.noteBlob({ orgId, hash: hash(letter), size });
    await set(here, { storedBytes: 100 });
    await note("a", 60);
    await note("a", 60);
    expect(await refusal(note("b", 41))).toBe("quota_exceeded");
    expect(await here.store.system.hasBlob({ orgId, hash: hash("b") })).toBe(false);
    await note("b", 40);
    expect(await used(here)).toMatchObject({ storedBytes: 100 });
    await here.clock.advance(1_000);
    await here.store.system.collectBlobs({ ageMs: 0, limit: 10_000 });
    expect(await used(here)).toMatchObject({ storedBytes: 0 });
  });

  it("leave what was there before alone, and count it", async () => {
    const here = scene();
    await here.create();
    await here.create();
    await set(here, { sessions: 1 });
    expect(await used(here)).toMatchObject({ sessions: 2 });
    expect(await refusal(here.create())).toBe("quota_exceeded");
  });

  it("of two at once let one in", async () => {
    const here = scene();
    await set(here, { sessions: 1 });
    const made = await Promise.allSettled([here.create(), here.create(), here.create()]);
    expect(made.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("bound members and API keys that work", async () => {
    const here = scene();
    await here.store.system.identity.createOrg({
      orgId: here.orgId,
      caller: "usr_0",
      slug: here.orgId.slice(4).toLowerCase(),
      name: "Here",
      audit: auditDraft({ action: "org.created" }),
    });
    const join = (userId: string) =>
      here.store.system.identity.provision({
        orgId: here.orgId,
        userId,
        name: userId,
        email: null,
        emailVerified: false,
        identity: null,
        role: "member",
        updateRole: false,
        audit: auditDraft({ action: "member.joined" }),
      });
    await set(here, { apiKeys: 1, members: 1 });
    const userId = newId("user");
    await join(userId);
    await join(userId);
    expect(await refusal(join(newId("user")))).toBe("quota_exceeded");
    const create = () => here.org.identity.createApiKey(newKey(userId));
    const { result } = await create();
    expect(await refusal(create())).toBe("quota_exceeded");
    const { id, prefix, hash: keyHash, createdBy, audit } = newKey(userId);
    await here.org.identity.rotateApiKey({
      id: result.id,
      replacement: { id, prefix, hash: keyHash, createdBy },
      overlapUntil: here.clock.now() + 60_000,
      expiresAt: null,
      audit,
    });
    expect(await refusal(create())).toBe("quota_exceeded");
    expect(await used(here)).toMatchObject({ apiKeys: 1, members: 1 });
  });
}

function newKey(principalId: string) {
  const id = newId("apiKey");
  return {
    id,
    prefix: `brt_${id.slice(-8)}`,
    hash: `hash of ${id}`,
    name: "key",
    principalType: "user",
    principalId,
    scopes: null,
    createdBy: principalId,
    expiresAt: null,
    audit: auditDraft({ action: "api_key.created" }),
  } as const;
}
