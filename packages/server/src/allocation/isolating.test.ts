import { afterEach, expect, it } from "vitest";
import { type AllocationRig, openRig } from "../../test/support/sandbox/allocation-rig.ts";
import type { Capabilities } from "../sandbox/sandbox.ts";
import { notIsolating } from "./isolating.ts";

let rig: AllocationRig | null = null;
afterEach(async () => {
  await rig?.close();
  rig = null;
});

const enough: Capabilities = {
  isolation: "namespace",
  label: "isolated",
  cgroup: "v1",
  network: "proxy",
  diskQuota: "image",
  seccomp: true,
  pty: true,
  ports: true,
  reasons: [],
};

it("SBX-23 takes for many organizations only what isolates, filters and limits", () => {
  expect(notIsolating(enough)).toBeNull();
  const short: readonly Partial<Capabilities>[] = [
    { isolation: "none" },
    { isolation: "process" },
    { seccomp: false },
    { cgroup: "none" },
    { network: "open" },
  ];
  const told = short.map((lack) => notIsolating({ ...enough, ...lack }));
  for (const why of told) expect(why).toContain("mode multi");
  const reasoned = notIsolating({ ...enough, cgroup: "none", reasons: ["Run the server as root."] });
  expect(reasoned).toContain("control groups");
  expect(reasoned).toContain("Run the server as root.");
});

it("SBX-23 gives out nothing where that is not had, and says so before and when it is asked", async () => {
  rig = openRig();
  const { sandboxes } = rig.start({}, { refuse: () => "it is not enough" });
  expect((await sandboxes.probe()).unavailable).toBe("it is not enough");
  await expect(sandboxes.connect(await rig.session())).rejects.toMatchObject({ code: "sandbox_unavailable" });
  expect(rig.provider.instances()).toEqual([]);
});
