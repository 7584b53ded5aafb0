import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { localSandboxes } from "../../test/support/sandbox/local-sandboxes.ts";
import { createUnavailable } from "./unavailable.ts";

const spec = { orgId: "org_1", sessionId: "ses_1" };

describe("a server without a sandbox that isolates", () => {
  let dataDir = "";
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "berth-none-"));
    await mkdir(join(dataDir, "workspaces"), { recursive: true });
  });
  afterEach(() => rm(dataDir, { recursive: true }));
  const local = () => localSandboxes(dataDir);

  it("SBX-23: gives none out, and says why", async () => {
    const provider = createUnavailable(local());
    await expect(provider.connect(spec)).rejects.toMatchObject({
      code: "sandbox_unavailable",
      retryable: false,
    });
    expect(await provider.files(spec)).toBeNull();
    expect(await provider.probe()).toMatchObject({
      isolation: "none",
      unavailable: expect.stringContaining("isolates"),
    });
    await provider.close();
  });

  it("deletes what another mode left", async () => {
    const before = local();
    await (await before.connect(spec)).files.write("left.txt", Buffer.from("left"));
    await before.close();
    expect(await readdir(join(dataDir, "workspaces"))).toHaveLength(1);
    const provider = createUnavailable(local());
    expect(await provider.files(spec)).toBeNull();
    expect(await provider.destroy(spec)).toBe("destroyed");
    expect(await readdir(join(dataDir, "workspaces"))).toEqual([]);
    await provider.close();
  });
});
