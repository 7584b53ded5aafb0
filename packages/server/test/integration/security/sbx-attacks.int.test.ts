// The attacks of `npm run attack`: over the API of a real server of several organizations, on the sandboxes that it makes of this machine.
// Each detector finds what it looks for where nothing holds, in the same run.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { judge } from "../../attack/judge.ts";
import { rows } from "../../attack/rows/all.ts";
import type { Target } from "../../attack/target.ts";
import { openBubblewrap } from "../../attack/targets.ts";

let target: Target;
beforeAll(async () => {
  target = await openBubblewrap("multi");
});
afterAll(() => target.close());

async function verdictOf(id: string) {
  const row = rows.find((one) => one.id === id);
  if (row === undefined) throw new Error(`there is no attack ${id}`);
  const { verdict, seen, naive } = await judge(row, target);
  return { verdict, seen, proven: row.naive === undefined || naive !== null };
}

const held = expect.objectContaining({ verdict: "held", proven: true });

describe("a sandbox of bubblewrap", { timeout: 90_000 }, () => {
  it("isolates on this machine, or all that follows says nothing", () => {
    expect(target.caps).toMatchObject({ isolation: "namespace", network: "proxy", seccomp: true });
  });
  it("SBX-01 opens nothing of the kernel for writing", async () => {
    expect(await verdictOf("SBX-01")).toEqual(held);
  });
  it("SBX-02 finds no secret of the server", async () => {
    expect(await verdictOf("SBX-02")).toEqual(held);
  });
  it("SBX-03 has no path that climbs out", async () => {
    expect(await verdictOf("SBX-03")).toEqual(held);
  });
  it("SBX-04 has no link that leads out", async () => {
    expect(await verdictOf("SBX-04")).toEqual(held);
  });
  it("SBX-05 wins no race of renames", async () => {
    expect(await verdictOf("SBX-05")).toEqual(held);
  });
  it("SBX-06 holds nobody up with files that are none", async () => {
    expect(await verdictOf("SBX-06")).toEqual(held);
  });
  it("SBX-07 unpacks no archive that climbs or explodes", async () => {
    expect(await verdictOf("SBX-07")).toEqual(held);
  });
  it("SBX-08 forks no further than its limit, and others answer", async () => {
    expect(await verdictOf("SBX-08")).toEqual(held);
  });
  it("SBX-09 runs out of its own memory and of nobody else's", async () => {
    expect(await verdictOf("SBX-09")).toEqual(held);
  });
  it("SBX-10 fills its own disk, which is deleted whatever is in it", async () => {
    expect(await verdictOf("SBX-10")).toEqual(held);
  });
  it("SBX-11 leaves others a processor", async () => {
    expect(await verdictOf("SBX-11")).toEqual(held);
  });
  it("SBX-12 floods nobody", async () => {
    expect(await verdictOf("SBX-12")).toEqual(held);
  });
  it("SBX-13 runs no longer than its time, however it hides", async () => {
    expect(await verdictOf("SBX-13")).toEqual(held);
  });
  it("SBX-14 ends with its session", async () => {
    expect(await verdictOf("SBX-14")).toEqual(held);
  });
  it("SBX-15 reaches nothing", async () => {
    expect(await verdictOf("SBX-15")).toEqual(held);
  });
  it("SBX-16 fools no proxy", async () => {
    expect(await verdictOf("SBX-16")).toEqual(held);
  });
  it("SBX-17 tells nothing by asking for names", async () => {
    expect(await verdictOf("SBX-17")).toEqual(held);
  });
  it("SBX-18 makes no system call that leads out", async () => {
    expect(await verdictOf("SBX-18")).toEqual(held);
  });
  it("SBX-19 kills its agent and hurts only itself", async () => {
    expect(await verdictOf("SBX-19")).toEqual(held);
  });
  it("SBX-20 sees nothing of another one", async () => {
    expect(await verdictOf("SBX-20")).toEqual(held);
  });
  it("SBX-21 is not led elsewhere by a name", async () => {
    expect(await verdictOf("SBX-21")).toEqual(held);
  });
  it("SBX-22 is not believed by its host's word alone", async () => {
    expect(await verdictOf("SBX-22")).toEqual(held);
  });
  it("SBX-23 is not there where nothing isolates", async () => {
    expect(await verdictOf("SBX-23")).toEqual(held);
  });
  it("SBX-24 has nothing that the server would execute", async () => {
    expect(await verdictOf("SBX-24")).toEqual(held);
  });
});
