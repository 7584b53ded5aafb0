import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { localSandboxes } from "../../../test/support/sandbox/local-sandboxes.ts";

it("SBX-02 shows commands only the environment that was given, and no name of the tenant", async () => {
  const dataDir = await realpath(await mkdtemp(join(tmpdir(), "berth-env-")));
  process.env["BERTH_TEST_CANARY"] = "canary";
  const provider = localSandboxes(dataDir, { LANG: "C.UTF-8" });
  try {
    const sandbox = await provider.connect({ orgId: "org_acme", sessionId: "ses_secret" });
    const { output } = await sandbox.exec({
      command: "env; echo WORKS >$TMPDIR/x; cat $TMPDIR/x",
      timeoutMs: 5_000,
    });
    const names = output.split("\n").map((line) => line.split("=", 1)[0]);
    expect(new Set(names)).toEqual(
      new Set(["PATH", "LANG", "HOME", "TMPDIR", "BERTH_EXEC_ID", "PWD", "SHLVL", "_", "WORKS", ""]),
    );
    expect(output).not.toMatch(/canary|org_acme|ses_secret/);
    expect(output).toMatch(new RegExp(`HOME=${dataDir}/workspaces/wsp_00[0-9a-f]{24}\\n`));
    expect(await provider.probe()).toMatchObject({ isolation: "none", label: "not isolated" });
  } finally {
    delete process.env["BERTH_TEST_CANARY"];
    await provider.close();
    await rm(dataDir, { recursive: true, force: true });
  }
});
