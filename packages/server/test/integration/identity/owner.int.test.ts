import { BerthApiError } from "@berth/client";
import { describe, expect, it } from "vitest";
import { useCliRig } from "../../support/cli/cli-rig.ts";

const start = useCliRig();
const owner = { email: "ada@acme.example", name: "Ada Lovelace", password: "a long enough password" };
const codeOf = (asked: Promise<unknown>) =>
  asked.then(
    () => "done",
    (thrown: unknown) => (thrown instanceof BerthApiError ? thrown.code : "unexpected"),
  );

describe("the first owner", () => {
  it("is made once, with the admin key, and can log in then", async () => {
    const rig = await start();
    const { client } = rig;
    expect(await codeOf(client.logins.setUpOwner({ ...owner, password: "short" }))).toBe("weak_password");
    expect(await client.logins.setUpOwner(owner)).toMatchObject({ email: owner.email, role: "owner" });
    expect(await codeOf(client.logins.setUpOwner({ ...owner, email: "eve@acme.example" }))).toBe(
      "owner_exists",
    );
    const { email, password } = owner;
    const login = await client.logins.logIn({ email, password });
    expect(login).toMatchObject({ user: { name: owner.name }, org: { slug: "default" } });
    expect(await codeOf(client.logins.logIn({ email, password: "another password" }))).toBe("login_refused");
    const again = await rig.berth("user", "create-owner", email, "--name", "Eve", "--password-stdin");
    expect(again.code).not.toBe(0);
  });

  it("is asked for a password that nobody sees", async () => {
    const rig = await start();
    const { client } = rig;
    const { terminal, ended } = rig.at("user", "create-owner", owner.email, "--name", owner.name);
    await terminal.until("password");
    terminal.type(`${owner.password}\n`);
    expect([await ended, terminal.err()]).toEqual([0, expect.not.stringContaining(owner.password)]);
    expect(terminal.out()).toContain("Ada Lovelace");
    expect(await codeOf(client.logins.logIn({ email: owner.email, password: owner.password }))).toBe("done");
  });
});
