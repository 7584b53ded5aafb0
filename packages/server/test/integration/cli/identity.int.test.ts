import { createApiKeyReply, createInvitationReply, member, org, serviceAccount } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { runCli } from "../../../src/cli/index.ts";
import { type CliRig, useCliRig } from "../../support/cli/cli-rig.ts";
import { createTestTerminal } from "../../support/test-terminal.ts";

const start = useCliRig();
type Ended = { readonly code: number; readonly out: string; readonly err: string };

function parsed<T>(schema: { parse(value: unknown): T }, { code, out, err }: Ended): T {
  if (code !== 0) throw new Error(err);
  return schema.parse(JSON.parse(out));
}

/** The command line of somebody else: with another key, or none, and its standard input. */
async function as(
  rig: CliRig,
  who: { readonly key?: string; readonly input?: string },
  ...args: readonly string[]
): Promise<Ended> {
  const env = who.key === undefined ? {} : { BERTH_API_KEY: who.key };
  const terminal = createTestTerminal({ env, ...(who.input !== undefined && { input: who.input }) });
  const code = await runCli([...args, "--url", rig.url], terminal.io);
  return { code, out: terminal.out(), err: terminal.err() };
}

const password = "correct horse battery";

describe("berth org, user and key", () => {
  it("make two organizations whose owners work apart", async () => {
    const rig = await start();
    const keys: string[] = [];
    for (const slug of ["acme", "globex"]) {
      const made = await rig.berth("org", "create", slug, "--owner", `ada@${slug}.example`);
      expect([made.code, made.err]).toEqual([0, ""]);
      expect(made.out).toContain(`${rig.url}/invite#ivt_`);
      expect(made.out).toContain("./berth user accept");
      const [token = ""] = /ivt_\S+/.exec(made.out) ?? [];
      const link = `${rig.url}/invite#${token}\n${password}\n`;
      const accepted = await as(rig, { input: link }, "user", "accept", "--token-stdin", "--name", "Ada");
      expect([accepted.code, accepted.err]).toEqual([0, ""]);
      expect(accepted.out).toContain(`ada@${slug}.example is in ${slug}`);
      expect(accepted.out).not.toContain(password);
      keys.push(/BERTH_API_KEY=(brt_\S+)/.exec(accepted.out)?.[1] ?? "");
    }
    const [acme = "", globex = ""] = keys;
    const shown = await as(rig, { key: acme }, "org", "show", "--json");
    expect(parsed(org, shown).slug).toBe("acme");
    expect((await as(rig, { key: acme }, "org", "show", "globex")).err).toContain("no organization globex");
    expect((await as(rig, { key: acme }, "user", "list", "--org", "globex")).code).toBe(1);
    const people = parsed(z.array(member), await as(rig, { key: globex }, "user", "list", "--json"));
    expect(people.map(({ email, role }) => [email, role])).toEqual([["ada@globex.example", "owner"]]);
    expect((await rig.berth("org", "list")).out).toMatch(/acme.*\n.*globex/s);
    expect((await rig.berth("org", "suspend", "globex")).out).toContain("globex is suspended");
    expect((await as(rig, { key: globex }, "user", "list")).code).toBe(1);
    expect((await rig.berth("org", "resume", "globex")).code).toBe(0);
    expect((await as(rig, { key: globex }, "user", "list")).code).toBe(0);
  });

  it("invite, change, suspend and remove people, by email", async () => {
    const rig = await start();
    const invited = await rig.berth("user", "invite", "grace@x.example", "--role", "viewer", "--json");
    const { token, id } = parsed(createInvitationReply, invited);
    expect((await rig.berth("user", "invitations", "--open")).out).toContain(id);
    const input = `${token}\n${password}\n`;
    const accepted = await as(rig, { input }, "user", "accept", "--token-stdin", "--no-key");
    expect([accepted.code, accepted.out.includes("brt_")]).toEqual([0, false]);
    const login = await as(rig, { input: `${password}\n` }, "login", "grace@x.example", "--password-stdin");
    expect([login.code, login.out]).toEqual([0, expect.stringContaining("BERTH_API_KEY=brt_")]);
    const wrong = await as(rig, { input: "no\n" }, "login", "grace@x.example", "--password-stdin");
    expect([wrong.code, wrong.out]).toEqual([1, ""]);
    expect((await rig.berth("user", "role", "grace@x.example", "member")).out).toContain("role member");
    expect((await rig.berth("user", "suspend", "grace@x.example")).out).toContain("is suspended");
    expect((await rig.berth("user", "resume", "grace@x.example")).out).toContain("is active");
    const reset = await rig.berth("user", "reset-password", "grace@x.example");
    expect(reset.out).toContain("choose a new password");
    expect((await rig.berth("user", "remove", "grace@x.example")).code).toBe(0);
    expect((await rig.berth("user", "remove", "grace@x.example")).err).toContain("no member grace@x.example");
    const taken = parsed(createInvitationReply, await rig.berth("user", "invite", "h@x.example", "--json"));
    expect((await rig.berth("user", "uninvite", taken.id)).code).toBe(0);
  });

  it("make roles, service accounts and keys, and end them", async () => {
    const rig = await start();
    const role = await rig.berth("role", "put", "auditor", "--permissions", "audit:read,member:read");
    expect(role.out).toContain("auditor allows: member:read, audit:read");
    expect((await rig.berth("role", "list")).out).toMatch(
      /owner \(built in\).*\n  .*audit:read.*auditor \(your own\)/s,
    );
    const made = await rig.berth("service-account", "create", "ci", "--role", "auditor", "--json");
    const account = parsed(serviceAccount, made);
    const certificate = ["--certificate", "name=DNS:ci.x.example"];
    expect((await rig.berth("service-account", "update", "ci", ...certificate)).code).toBe(0);
    expect((await rig.berth("service-account", "list")).out).toContain("DNS:ci.x.example");
    const flags = ["--for", "ci", "--scopes", "member:read", "--expires", "1h", "--json"];
    const key = parsed(createApiKeyReply, await rig.berth("key", "create", ...flags));
    expect(key).toMatchObject({ owner: account.id, scopes: ["member:read"] });
    expect((await as(rig, { key: key.key }, "user", "list")).code).toBe(0);
    const next = await rig.berth("key", "rotate", key.id, "--overlap", "0", "--json");
    const { key: rotated, id } = parsed(createApiKeyReply, next);
    expect((await as(rig, { key: key.key }, "user", "list")).code).toBe(1);
    expect((await as(rig, { key: rotated }, "user", "list")).code).toBe(0);
    const list = (await rig.berth("key", "list", "--all")).out;
    expect(list).toContain("works");
    expect(list).not.toContain(rotated.slice(-43));
    expect((await rig.berth("key", "revoke", id)).out).toContain("works no more");
    expect((await as(rig, { key: rotated }, "user", "list")).code).toBe(1);
    expect((await rig.berth("role", "delete", "auditor")).err).toContain("another one first");
    expect((await rig.berth("service-account", "delete", "ci")).code).toBe(0);
    expect((await rig.berth("role", "delete", "auditor")).code).toBe(0);
  });
});

describe("berth secrets generate", () => {
  it("prints keys that a server takes, new ones each time", async () => {
    const run = async () => (await as(await start(), {}, "secrets", "generate")).out;
    const [first, second] = [await run(), await run()];
    expect(first).toMatch(
      /^BERTH_ADMIN_KEY=brt_\S{43}\nBERTH_MASTER_KEY=\S{43}\nBERTH_KEY_PEPPER=\S{43}\nBERTH_AUDIT_KEY=\S{43}\nBERTH_BACKUP_KEY=\S{43}\n$/,
    );
    const values = [...first.split("\n"), ...second.split("\n")].filter((line) => line !== "");
    expect(new Set(values.map((line) => line.slice(line.indexOf("=")))).size).toBe(10);
  });
});

describe("berth user accept", () => {
  it("asks a person for the link and a password, and shows neither", async () => {
    const rig = await start();
    const { token } = parsed(
      createInvitationReply,
      await rig.berth("user", "invite", "typed@x.example", "--json"),
    );
    const { terminal, ended } = rig.at("user", "accept", "--no-key");
    await terminal.until("The link or token");
    terminal.type(`${token}\n`);
    await terminal.until("A password");
    terminal.type(`${password}\n`);
    expect([await ended, terminal.out()]).toEqual([0, expect.stringContaining("typed@x.example is in")]);
    expect(`${terminal.out()}${terminal.err()}`).not.toContain(password);
    expect(`${terminal.out()}${terminal.err()}`).not.toContain(token);
  });

  it("says what to do when nobody can be asked", async () => {
    const rig = await start();
    const ended = await as(rig, {}, "user", "accept");
    expect([ended.code, ended.err]).toEqual([2, expect.stringContaining("standard input")]);
  });
});
