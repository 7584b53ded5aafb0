import { describe, expect, it } from "vitest";
import { useCliRig } from "../../support/cli/cli-rig.ts";

/** Public, and never called. */
const place = "https://93.184.215.14/v1";

describe("user-config", () => {
  const start = useCliRig();

  it("shows and changes plain settings, fragments and links", async () => {
    const rig = await start();
    const berth = (...args: readonly string[]) => rig.berth(...args);
    expect((await berth("user-config", "show")).out).toContain(
      "as the organization says, at most as many as everybody may have (in use: ./berth sandbox list)",
    );
    const set = await berth(
      "user-config",
      "set",
      "--sandbox-strategy",
      "Shared-Pool",
      "--auto-scroll",
      "off",
    );
    expect(set.out).toMatch(/Shared-Pool[^]*auto scroll {4}off/);
    expect((await berth("user-config", "set")).code).toBe(2);
    expect((await berth("user-config", "set", "--sandbox-strategy", "Host")).err).toContain("Shared-Pool");
    const added = await berth("user-config", "fragment", "add", "Answer in French.", "--label", "language");
    const id = /frg_\w+/.exec(added.out)?.[0] ?? "";
    expect((await berth("user-config", "fragment", "off", id)).out).toBe(`${id} is off.\n`);
    expect((await berth("user-config", "fragment", "list")).out).toMatch(/off +language +Answer in French/);
    expect((await berth("user-config", "fragment", "remove", id)).code).toBe(0);
    const again = await berth("user-config", "fragment", "remove", id);
    expect([again.code, again.err]).toEqual([1, expect.stringContaining("There is no entry")]);
    const kept = await berth(
      "user-config",
      "link",
      "add",
      "https://example.com/a",
      "--label",
      "docs",
      "--json",
    );
    const link = JSON.parse(kept.out) as { id: string };
    expect((await berth("user-config", "link", "remove", link.id)).code).toBe(0);
    expect((await berth("user-config", "delete")).code).toBe(0);
  });

  it("keeps keys of providers off the command line and out of what it prints", async () => {
    const rig = await start();
    const { client } = rig;
    const berth = (...args: readonly string[]) => rig.berth(...args);
    const own = ["user-config", "provider"] as const;
    const set = await berth(...own, "set", "lab", "--base-url", place, "--key-env", "BERTH_API_KEY");
    expect(set).toMatchObject({ code: 0, err: "" });
    await berth(...own, "set", "other", "--base-url", place, "--models", "a,b");
    await berth(...own, "set", "lab", "--models", "c");
    const { modelProviders } = await client.userConfig.get();
    expect(modelProviders).toMatchObject([
      { name: "other", hasKey: false, models: [{ name: "a" }, { name: "b" }] },
      { name: "lab", hasKey: true, baseURL: place, models: [{ name: "c" }] },
    ]);
    expect((await berth(...own, "set", "x", "--base-url", place, "--key-env", "NOT_THERE")).code).toBe(2);
    expect((await berth(...own, "set", "x", "--key-env", "A", "--key-stdin")).code).toBe(2);
    expect((await berth(...own, "remove", "lab")).code).toBe(0);
    expect((await berth(...own, "remove", "lab")).code).toBe(1);
    const org = await berth(
      "model-providers",
      "set",
      "acme",
      "--base-url",
      place,
      "--key-env",
      "BERTH_API_KEY",
    );
    expect(org.out).toBe("Its models are called as acme/NAME. A key is set.\n");
    expect((await berth("model-providers", "list")).out).toMatch(/acme +openai-compatible +\S+ +set +any/);
    const refused = await berth("model-providers", "set", "evil", "--base-url", "https://169.254.169.254");
    expect(refused.err).toContain("not a public address");
    expect((await berth("model-providers", "remove", "acme")).out).toBe("acme is gone.\n");
  });

  it("shows the vault and rotates it", async () => {
    const rig = await start();
    const berth = (...args: readonly string[]) => rig.berth(...args);
    await berth("model-providers", "set", "acme", "--base-url", place, "--key-env", "BERTH_API_KEY");
    expect((await berth("vault", "status")).out).toMatch(/data keys +1, 0 pending\nsecrets +1, 0 pending/);
    const rotated = await berth("vault", "rotate", "--data-keys");
    expect(rotated.out).toContain("0 data keys wrapped anew, 1 made, 1 secrets sealed anew.");
    expect(rotated.out).toMatch(/data keys +1, 0 pending/);
  });
});
