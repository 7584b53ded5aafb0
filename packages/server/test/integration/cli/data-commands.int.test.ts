import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Backup, Erasure, ExportJob } from "@berth/client";
import { describe, expect, it } from "vitest";
import { useCliRig } from "../../support/cli/cli-rig.ts";
import { unzip } from "../../support/store/unzip.ts";

describe("copies and erasures from the command line", () => {
  const rig = useCliRig();

  it("asks for an export, lists it, writes it to a file and deletes it", async () => {
    const at = await rig();
    const { client, data } = at;
    await at.agent();
    const session = await client.sessions.create({ agent: "tester", title: "mine" });
    const made = await at.berth("exports", "create", "--whole-org", "--json");
    expect([made.code, made.err]).toEqual([0, ""]);
    const { id } = JSON.parse(made.out) as ExportJob;
    const listed = await at.berth("exports", "list");
    expect(listed.out).toContain(id);
    const to = join(data, "copy.zip");
    const written = await at.berth("exports", "download", id, "--to", to);
    expect([written.code, written.out]).toEqual([0, `${to}\n`]);
    const entries = unzip(await readFile(to));
    expect(entries.get("sessions.jsonl")?.toString()).toContain(session.id);
    expect((await at.berth("exports", "delete", id)).code).toBe(0);
    const gone = await at.berth("exports", "download", id, "--to", to);
    expect([gone.code, gone.err]).toEqual([1, expect.stringContaining("There is no export")]);
    // What was written before is still whole.
    expect(unzip(await readFile(to)).size).toBe(entries.size);
  });

  it("makes backups and lists them, and says what an erasure needs", async () => {
    const at = await rig();
    const made = await at.berth("backup");
    expect([made.code, made.err]).toEqual([0, ""]);
    expect(made.out).toMatch(/berth-\d{8}T\d{9}Z\.backup {2}\d/);
    const listed = await at.berth("backup", "list", "--json");
    expect((JSON.parse(listed.out) as Backup[]).map(({ status }) => status)).toEqual(["done"]);
    const nobody = await at.berth("erasures", "create", "--confirm", "x");
    expect([nobody.code, nobody.err]).toEqual([2, expect.stringContaining("--user WHO")]);
    const none = await at.berth("erasures", "list");
    expect(none.out).toBe("Nothing was erased yet.\n");
    const { org } = await at.client.me();
    const home = await at.berth(
      "erasures",
      "create",
      "--whole-org",
      org.id,
      "--confirm",
      "default",
      "--json",
    );
    expect(home.code).toBe(1);
  });

  it("erases an organization and shows the receipt", async () => {
    const at = await rig();
    const created = await at.berth("org", "create", "acme", "--json");
    expect([created.code, created.err]).toEqual([0, ""]);
    const shown = JSON.parse((await at.berth("org", "show", "acme", "--json")).out) as { id: string };
    const wrong = await at.berth(
      "erasures",
      "create",
      "--whole-org",
      shown.id,
      "--org",
      "acme",
      "--confirm",
      "acne",
    );
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining("Nothing was erased")]);
    const args = ["--whole-org", shown.id, "--org", "acme", "--confirm", "acme"];
    const erased = await at.berth("erasures", "create", ...args, "--json");
    expect([erased.code, erased.err]).toEqual([0, ""]);
    const receipt = JSON.parse(erased.out) as Erasure;
    expect(receipt).toMatchObject({ status: "done", target: shown.id, scope: "org" });
    const again = await at.berth("erasures", "show", receipt.id);
    expect(again.out).toContain(receipt.hash);
    expect((await at.berth("org", "show", "acme")).code).toBe(1);
  });
});
