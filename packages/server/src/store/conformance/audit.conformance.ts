import { describe, expect, it } from "vitest";
import { newId } from "../../lib/id.ts";
import type { AuditDraft, AuditHead, AuditSeal } from "../audit.ts";
import { agentNamed, message, type OpenStore, refusal, type Scene, useStore } from "./scene.conformance.ts";

export function auditDraft(change: Partial<AuditDraft> = {}): AuditDraft {
  return {
    id: newId("audit"),
    actor: { type: "user", id: "usr_1", name: "Ada" },
    credential: "api_key:key_1",
    action: "agent.created",
    target: { type: "agent", id: "agt_1" },
    outcome: "done",
    requestId: "req_1",
    address: "192.0.2.1",
    details: { name: "helper" },
    ...change,
  };
}

const actions = async ({ org }: Scene, filter = {}) =>
  (await org.audit.list({ limit: 100, ...filter })).items.map(({ action }) => action);

/** Seals as a sealer would; what the MACs are does not matter to the store. */
async function sealAll({ store, orgId }: Scene): Promise<AuditHead | null> {
  const { head, entries } = await store.system.audit.nextToSeal(orgId, 100);
  const sealed = entries.map(({ id }, index): { id: string } & AuditSeal => {
    const number = (head?.number ?? 0) + index + 1;
    return {
      id,
      number,
      previous: number === 1 ? "" : `mac ${number - 1}`,
      personMac: "p",
      detailsMac: "d",
      mac: `mac ${number}`,
    };
  });
  expect(await store.system.audit.seal({ orgId, head, entries: sealed })).toBe(sealed.length > 0);
  return (await store.org(orgId).audit.chain()).head;
}

export function auditConformance(open: OpenStore): void {
  describe("audit log", () => {
    const scene = useStore(open);
    entryTests(scene);
    listTests(scene);
    sealTests(scene);
    removalTests(scene);
  });
}

function entryTests(scene: () => Scene): void {
  it("commit with their change, and not when there was none", async () => {
    const here = scene();
    const { org } = here;
    const agent = { id: newId("agent"), definition: agentNamed("helper") };
    const idempotency = { scope: "s", key: "k", bodyHash: "h" };
    const create = () => org.createAgent({ ...agent, idempotency, audit: auditDraft() });
    await create();
    expect((await create()).replayed).toBe(true);
    const taken = org.createAgent({ ...agent, id: newId("agent"), audit: auditDraft() });
    expect(await refusal(taken)).toBe("agent_name_taken");
    await org.putAgent({ ...agent, audit: auditDraft({ action: "agent.updated" }) });
    await org.archiveAgent(agent.id, true, auditDraft({ action: "agent.archived" }));
    await org.archiveAgent("agt_none", true, auditDraft({ action: "agent.archived" }));
    const { id } = await here.create();
    await here.store.session(here.orgId, id).accept({
      inputs: [message()],
      audit: auditDraft({ action: "session.archived" }),
    });
    await org.deleteSession(id, auditDraft({ action: "session.deleted" }));
    await org.deleteSession(id, auditDraft({ action: "session.deleted" }));
    expect(await actions(here, { oldestFirst: true })).toEqual([
      "agent.created",
      "agent.updated",
      "agent.archived",
      "session.archived",
      "session.deleted",
    ]);
  });

  it("come back as they were written", async () => {
    const here = scene();
    const draft = auditDraft({ details: { count: 2, on: true, none: null, text: "x" } });
    await here.org.audit.append(draft);
    const bare = auditDraft({ credential: null, target: null, requestId: null, address: null, details: {} });
    await here.org.audit.append(bare);
    expect((await here.org.audit.list({ limit: 10, oldestFirst: true })).items).toEqual(
      [draft, bare].map((entry) => ({
        ...entry,
        orgId: here.orgId,
        at: here.clock.now(),
        erased: false,
        seal: null,
      })),
    );
  });

  it("AUD-01: hold no control characters, and no more than so much", async () => {
    const here = scene();
    const evil = 'x\r\n{"action":"forged"}\u001b[2J\u202e\u2028\u0000';
    const actor = { type: "user", id: "usr_1", name: `${evil}${"a".repeat(1_000_000)}` } as const;
    const details = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`${i}${evil}`, evil.repeat(200)]),
    );
    const target = { type: "agent", id: evil };
    await here.org.audit.append(auditDraft({ actor, details, target, address: evil, requestId: evil }));
    const { items } = await here.org.audit.list({ limit: 10 });
    const line = JSON.stringify(items[0]);
    expect(items).toHaveLength(1);
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e]/);
    expect(JSON.stringify(items[0]?.actor.name)).not.toMatch(/[^\\]\\[rn]/);
    expect(line.length).toBeLessThan(150_000);
    expect(items[0]?.target?.id).toContain(String.raw`\u000d\u000a`);
  });

  it("never go back in time, whatever the clock does", async () => {
    const here = scene();
    await here.org.audit.append(auditDraft({ action: "first.x" }));
    const first = here.clock.now();
    here.clock.stepWallClock(-3_600_000);
    await here.org.audit.append(auditDraft({ action: "second.x" }));
    const { items } = await here.org.audit.list({ limit: 10 });
    here.clock.stepWallClock(3_600_000);
    expect(items.map(({ action, at }) => [action, at])).toEqual([
      ["second.x", first],
      ["first.x", first],
    ]);
  });
}

function listTests(scene: () => Scene): void {
  it("go page by page, either way round", async () => {
    const here = scene();
    for (let i = 0; i < 7; i++) await here.org.audit.append(auditDraft({ action: `step.${i}` }));
    for (const oldestFirst of [false, true]) {
      const found: string[] = [];
      let after: string | null = null;
      do {
        const filter = { limit: 3, oldestFirst, ...(after !== null && { after }) };
        const { items, next } = await here.org.audit.list(filter);
        found.push(...items.map(({ action }) => action));
        after = next;
      } while (after !== null);
      const all = Array.from({ length: 7 }, (_, i) => `step.${i}`);
      expect(found).toEqual(oldestFirst ? all : all.toReversed());
    }
    expect(await actions(here, { after: "aud_none" })).toEqual([]);
  });

  it("filter by actor, action, target, outcome and time, also together", async () => {
    const here = scene();
    const { audit } = here.org;
    const ben = { type: "user", id: "usr_2", name: "Ben" } as const;
    await audit.append(auditDraft({ action: "agent.created" }));
    await here.clock.advance(1_000);
    const from = here.clock.now();
    await audit.append(
      auditDraft({ action: "member.removed", actor: ben, target: { type: "member", id: "usr_3" } }),
    );
    await audit.append(auditDraft({ action: "access.refused", actor: ben, outcome: "refused" }));
    await here.clock.advance(1_000);
    const to = here.clock.now();
    await audit.append(auditDraft({ action: "agent.archived" }));
    expect(await actions(here, { actor: "usr_2" })).toEqual(["access.refused", "member.removed"]);
    expect(await actions(here, { action: "agent." })).toEqual(["agent.archived", "agent.created"]);
    expect(await actions(here, { action: "agent.created" })).toEqual(["agent.created"]);
    expect(await actions(here, { action: "agent" })).toEqual([]);
    expect(await actions(here, { target: "usr_3" })).toEqual(["member.removed"]);
    expect(await actions(here, { outcome: "refused" })).toEqual(["access.refused"]);
    expect(await actions(here, { from, to })).toEqual(["access.refused", "member.removed"]);
    expect(await actions(here, { actor: "usr_2", action: "member.", from })).toEqual(["member.removed"]);
    expect(await actions(here, { actor: "' OR 1=1 --", action: "%", target: "_" })).toEqual([]);
  });

  it("I10: show one organization's entries, and take no cursor of another's", async () => {
    const here = scene();
    const other = here.neighbour();
    await here.org.audit.append(auditDraft());
    await other.org.audit.append(auditDraft({ action: "theirs.x" }));
    await sealAll(here);
    const [mine] = (await here.org.audit.list({ limit: 1 })).items;
    expect(await actions(other)).toEqual(["theirs.x"]);
    expect(await actions(other, { after: mine?.id, oldestFirst: true })).toEqual([]);
    expect(await other.org.audit.sealedAfter(0, 10)).toEqual([]);
    expect(await other.org.audit.chain()).toMatchObject({ head: null, cut: null, unsealed: { count: 1 } });
  });
}

function sealTests(scene: () => Scene): void {
  it("number entries in the order of their commits, organization by organization", async () => {
    const here = scene();
    const other = here.neighbour();
    for (const action of ["a.x", "b.x", "c.x"]) await here.org.audit.append(auditDraft({ action }));
    await other.org.audit.append(auditDraft());
    const waiting = await here.store.system.audit.unsealedOrgs(10_000);
    expect(waiting).toEqual(expect.arrayContaining([here.orgId, other.orgId]));
    expect(await here.org.audit.chain()).toEqual({
      head: null,
      cut: null,
      unsealed: { count: 3, oldestAt: here.clock.now() },
    });
    expect(await sealAll(here)).toEqual({ number: 3, mac: "mac 3" });
    const sealed = await here.org.audit.sealedAfter(1, 10);
    expect(sealed.map(({ action, seal }) => [action, seal?.number, seal?.previous])).toEqual([
      ["b.x", 2, "mac 1"],
      ["c.x", 3, "mac 2"],
    ]);
    expect((await here.org.audit.chain()).unsealed).toEqual({ count: 0, oldestAt: null });
    expect(await here.store.system.audit.unsealedOrgs(10_000)).not.toContain(here.orgId);
    expect(await here.store.system.audit.orgs()).toEqual(expect.arrayContaining([here.orgId, other.orgId]));
  });

  it("are given by one of two sealers", async () => {
    const here = scene();
    const { orgId } = here;
    await here.org.audit.append(auditDraft());
    const { head, entries } = await here.store.system.audit.nextToSeal(orgId, 10);
    const seal = (mac: string) =>
      here.store.system.audit.seal({
        orgId,
        head,
        entries: entries.map(({ id }) => ({
          id,
          number: 1,
          previous: "",
          personMac: "",
          detailsMac: "",
          mac,
        })),
      });
    expect(await Promise.all([seal("one"), seal("two")])).toEqual([true, false]);
    expect((await here.org.audit.chain()).head).toEqual({ number: 1, mac: "one" });
  });
}

function removalTests(scene: () => Scene): void {
  it("takes entries up to a cut, and nothing else", async () => {
    const here = scene();
    const { orgId } = here;
    for (let i = 1; i <= 5; i++) await here.org.audit.append(auditDraft({ action: `step.${i}` }));
    await sealAll(here);
    await here.org.audit.append(auditDraft({ action: "step.6" }));
    const cut = { number: 3, mac: "mac 3", at: 7, seal: "s" };
    const remove = (limit: number) => here.store.system.audit.cut({ orgId, cut, limit });
    expect([await remove(2), await remove(2), await remove(2)]).toEqual([2, 1, 0]);
    expect(await actions(here, { oldestFirst: true })).toEqual(["step.4", "step.5", "step.6"]);
    expect((await here.org.audit.chain()).cut).toEqual(cut);
    const earlier = { number: 1, mac: "mac 1", at: 9, seal: "t" };
    expect(await here.store.system.audit.cut({ orgId, cut: earlier, limit: 10 })).toBe(0);
    expect((await here.org.audit.chain()).cut).toEqual(cut);
  });

  it("blanks a person, once its entries are sealed", async () => {
    const here = scene();
    const { orgId } = here;
    const ben = { type: "user", id: "usr_2", name: "Ben" } as const;
    await here.org.audit.append(auditDraft({ actor: ben }));
    await here.org.audit.append(auditDraft({ target: { type: "member", id: "usr_2" } }));
    await here.org.audit.append(auditDraft());
    const erase = () => here.store.system.audit.erasePerson({ orgId, actorId: "usr_2", limit: 10 });
    expect(await erase()).toBe(0);
    await sealAll(here);
    expect([await erase(), await erase()]).toEqual([2, 0]);
    const { items } = await here.org.audit.list({ limit: 10, oldestFirst: true });
    expect(
      items.map(({ actor, address, details, erased }) => [actor.name, address, details, erased]),
    ).toEqual([
      ["", null, {}, true],
      ["", null, {}, true],
      ["Ada", "192.0.2.1", { name: "helper" }, false],
    ]);
  });
}
