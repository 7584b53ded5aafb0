import { beforeEach, describe, expect, it } from "vitest";
import { createManualClock, type ManualClock } from "../../../test/support/manual-clock.ts";
import { newId } from "../../lib/id.ts";
import type { EgressDecision } from "../egress-decision.ts";
import { egressNews } from "../protocol/egress.ts";
import { createEgressJournal, type EgressJournal } from "./egress-journal.ts";

const decision = (host: string, change: Partial<EgressDecision> = {}): EgressDecision => ({
  host,
  port: 443,
  method: "CONNECT",
  verdict: "denied",
  reason: "not_listed",
  address: null,
  count: 1,
  bytesOut: 0,
  bytesIn: 0,
  ...change,
});
const [one, two] = ["1".repeat(32), "2".repeat(32)];

let clock: ManualClock;
let journal: EgressJournal;
let sandboxId: string;
beforeEach(() => {
  clock = createManualClock();
  journal = createEgressJournal({ clock });
  sandboxId = newId("sandbox");
  journal.owned(sandboxId, "a");
});

const fill = (count: number) => {
  for (let at = 0; at < count; at++) journal.decided(sandboxId, decision(`${at}.test`));
};
const read = (after: ReturnType<EgressJournal["read"]>["next"] = null, reader = one) => {
  const news = journal.read("a", { reader, ...(after !== null && { after }) });
  return { ...news, hosts: news.items.map(({ host }) => host) };
};

describe("the journal of egress", () => {
  it("tells the same again until its reader says that it has it", () => {
    expect(read()).toMatchObject({ next: null, items: [] });
    fill(2);
    const first = read();
    expect(first).toMatchObject({ dropped: 0, hosts: ["0.test", "1.test"] });
    expect(read()).toEqual(first);
    journal.decided(sandboxId, decision("new.test"));
    const second = read(first.next);
    expect(second.hosts).toEqual(["new.test"]);
    expect(read(first.next)).toEqual(second);
    expect(read(second.next).hosts).toEqual([]);
    // Who begins anew is told nothing that was taken.
    expect(read().hosts).toEqual([]);
  });

  it("tells a deployment nothing of another, and of nobody's sandbox nothing", () => {
    const other = newId("sandbox");
    journal.owned(other, "b");
    journal.decided(other, decision("b.test"));
    journal.decided(newId("sandbox"), decision("nobody.test"));
    fill(1);
    expect(read().hosts).toEqual(["0.test"]);
    const theirs = journal.read("b", { reader: two });
    expect(theirs.items.map(({ host }) => host)).toEqual(["b.test"]);
    expect(theirs.items[0]?.sandboxId).toBe(other);
    expect(journal.read("c", { reader: two })).toEqual({ next: null, dropped: 0, items: [] });
    // A cursor of another deployment's journal takes nothing away.
    expect(read(theirs.next).hosts).toEqual(["0.test"]);
  });

  it("gives 500 at once, keeps 10,000, and says how many it dropped, however often it is asked", () => {
    fill(10_007);
    const first = read();
    expect(first).toMatchObject({ dropped: 7, next: { number: 507 } });
    expect([first.hosts.length, first.hosts[0]]).toEqual([500, "7.test"]);
    expect(read()).toEqual(first);
    let [dropped, told] = [first.dropped, first.items.length];
    for (let news = read(first.next); news.items.length > 0; news = read(news.next)) {
      told += news.items.length;
      dropped += news.dropped;
    }
    expect([told, dropped]).toEqual([10_000, 7]);
  });

  it("tells one server at a time, and another one what a dead one did not take", async () => {
    fill(3);
    const mine = read();
    expect(read(null, two).hosts).toEqual([]);
    expect(read(mine.next).hosts).toEqual([]);
    fill(1);
    expect(read(null, two)).toMatchObject({ next: mine.next, hosts: [] });
    expect(read(mine.next).hosts).toEqual(["0.test"]);
    await clock.advance(29_999);
    expect(read(null, two).hosts).toEqual([]);
    await clock.advance(1);
    expect(read(null, two).hosts).toEqual(["0.test"]);
    expect(read(mine.next).hosts).toEqual([]);
  });

  it("takes no cursor for more than there is", () => {
    fill(2);
    const { next } = read();
    if (next === null) throw new Error("nothing was told");
    expect(read({ ...next, number: 1e9 }).next).toEqual(next);
    fill(1);
    expect(read(next).hosts).toEqual(["0.test"]);
    expect(read({ journal: "f".repeat(32), number: 0 }).hosts).toEqual(["0.test"]);
  });

  it("writes nothing that its own schema would refuse", () => {
    const odd = decision(`\u001b[2J${"é".repeat(300)}`, {
      method: "get\r\n",
      address: "::ffff:10.0.0.1",
      count: 1e15,
      bytesIn: 2 ** 60,
    });
    const more = { ...odd, authorization: "canary" };
    journal.decided(sandboxId, more);
    const { items, ...rest } = journal.read("a", { reader: one });
    expect(egressNews.safeParse({ items, ...rest })).toMatchObject({ success: true });
    expect(items[0]?.host).toMatch(/^\?\[2J\?{96}$/);
    expect(items[0]).toMatchObject({ method: "", address: "10.0.0.1", count: 10_000_000 });
    expect(JSON.stringify(items)).not.toContain("canary");
  });

  it("keeps the decisions of 16 deployments, those that were asked for last", async () => {
    const owned = Array.from({ length: 18 }, (_, at) => ({ id: newId("sandbox"), name: `d${at}` }));
    for (const { id, name } of owned) {
      journal.owned(id, name);
      journal.decided(id, decision("x.test"));
      await clock.advance(1);
    }
    const left = owned.filter(({ name }) => journal.read(name, { reader: one }).items.length > 0);
    expect(left).toHaveLength(16);
    expect(left.map(({ name }) => name)).not.toContain("d0");
  });
});
