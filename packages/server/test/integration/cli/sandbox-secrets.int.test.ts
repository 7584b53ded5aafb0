import { describe, expect, it } from "vitest";
import { runCli } from "../../../src/cli/index.ts";
import { useCliRig } from "../../support/cli/cli-rig.ts";
import { createTestTerminal } from "../../support/test-terminal.ts";

const adminKey = "brt_the-admin-key-of-this-test";

describe("vault secret", () => {
  const start = useCliRig();

  it("puts a secret from standard input, lists names and removes", async () => {
    const rig = await start();
    const secret = ["vault", "secret"] as const;
    const given = async (input: string, ...args: readonly string[]) => {
      const terminal = createTestTerminal({ env: { BERTH_API_KEY: adminKey }, input });
      const code = await runCli([...args, "--url", rig.url], terminal.io);
      return { code, out: terminal.out(), err: terminal.err() };
    };
    expect((await rig.berth(...secret, "list")).out).toContain("no secrets for sandboxes");
    const put = [...secret, "put", "github", "--host", "api.github.com", "*.github.com"];
    const saved = await given("CANARY_cli_9981\n", ...put);
    expect(saved).toMatchObject({ code: 0, err: "" });
    const listed = await rig.berth(...secret, "list");
    expect(listed.out).toContain("github");
    expect(saved.out + listed.out).not.toContain("CANARY");
    expect((await given("", ...put)).code).toBe(2);
    const misnamed = await given("CANARY_cli_9981", ...secret, "put", "Bad_Name", "--host", "api.github.com");
    expect([misnamed.code, misnamed.err]).toEqual([2, expect.stringContaining("must be lower-case letters")]);
    expect((await given("CANARY_cli_9981", ...secret, "put", "x")).code).toBe(2);
    expect((await rig.berth(...secret, "remove", "github")).out).toBe("github is gone.\n");
    const again = await rig.berth(...secret, "remove", "github");
    expect([again.code, again.err]).toEqual([1, expect.stringContaining("There is no secret github")]);
  });
});
