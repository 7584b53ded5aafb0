import type { SandboxSystem } from "@berth/client";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { checkIsolation, judgeSandboxes } from "./isolation.ts";

const isolated: SandboxSystem = {
  provider: "bubblewrap",
  isolation: "namespace",
  label: "isolated by bubblewrap",
  reasons: [],
  unavailable: null,
  capabilities: { cgroup: "v2", network: "proxy", diskQuota: "image", seccomp: true, pty: true, ports: true },
  hosts: [
    {
      name: "local",
      healthy: true,
      draining: false,
      live: 2,
      freeSlots: 98,
      freeMemoryBytes: 1,
      problem: null,
    },
  ],
  warm: 1,
  live: { creating: 0, active: 2, destroying: 0 },
};

describe("judgeSandboxes", () => {
  it("is content with what isolates, and tells each thing that is missing", () => {
    expect(judgeSandboxes(isolated)).toEqual([
      { name: "sandbox", status: "ok", detail: "bubblewrap: isolated by bubblewrap; 2 in use, 1 warm" },
    ]);
    const reasons = ["Memory is not limited: run as root.\u001b[31m"];
    expect(judgeSandboxes({ ...isolated, reasons })[1]).toEqual({
      name: "isolation",
      status: "warn",
      detail: "Memory is not limited: run as root.[31m",
    });
  });

  it("warns of what does not isolate, of what gives none out, and of hosts that are ill", () => {
    expect(judgeSandboxes({ ...isolated, isolation: "none", label: "not isolated" })[0]).toMatchObject({
      status: "warn",
      fix: expect.stringContaining("whom you trust"),
    });
    expect(judgeSandboxes({ ...isolated, unavailable: "there is no bubblewrap" })[0]).toMatchObject({
      status: "warn",
      detail: "bubblewrap: there is no bubblewrap",
    });
    const [host] = isolated.hosts;
    const ill = host === undefined ? [] : [{ ...host, healthy: false, problem: "does not answer" }];
    expect(judgeSandboxes({ ...isolated, hosts: ill })[1]).toMatchObject({
      name: "sandbox host",
      detail: "local is not healthy: does not answer",
      // As docs/operate/sandboxes.md says of sessions whose files are there.
      fix: expect.stringContaining("leave its name in sandboxHosts until no session has files there"),
    });
  });

  it("shows a host that drains", () => {
    const drains = isolated.hosts.map((host) => ({ ...host, draining: true }));
    expect(judgeSandboxes({ ...isolated, hosts: drains })[1]).toMatchObject({
      name: "sandbox host",
      status: "warn",
      detail: expect.stringContaining("local drains"),
    });
  });
});

describe("checkIsolation", { timeout: 60_000 }, () => {
  const configured = (env: Record<string, string>) => loadConfig({ flags: {}, env, cwd: "/" });

  it("makes a sandbox where no server runs, and leaves nothing", async () => {
    const [found] = await checkIsolation(configured({ BERTH_SANDBOX: "bubblewrap" }));
    expect(found).toMatchObject({
      name: "sandbox",
      status: "ok",
      detail: expect.stringContaining("bubblewrap"),
    });
  });

  it("makes none where none is wanted", async () => {
    expect(await checkIsolation(configured({ BERTH_SANDBOX: "none" }))).toMatchObject([{ status: "ok" }]);
    expect(await checkIsolation(configured({ BERTH_SANDBOX: "local-process" }))).toMatchObject([
      { status: "warn", detail: expect.stringContaining("not isolated") },
    ]);
  });
});
