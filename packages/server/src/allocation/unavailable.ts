import { BerthError } from "../lib/errors.ts";
import type { SessionSandboxes } from "./session-sandboxes.ts";

/** What people and models are told of a server that has no sandbox, unless more is known. */
const noneConfigured =
  "this server runs tools only where they are isolated, and no sandbox that isolates is configured";

/**
 * For a server that must not run tools unisolated and has nothing that isolates: every session that needs a sandbox is refused with
 * `sandbox_unavailable`. What another mode left in the data folder is still ended and deleted, by `leftovers`.
 */
export function createUnavailable(
  leftovers: Pick<SessionSandboxes, "destroy" | "release" | "reapLeftovers" | "close">,
  why: string = noneConfigured,
): SessionSandboxes {
  const refused = () => Promise.reject(new BerthError("sandbox_unavailable", `There is no sandbox: ${why}.`));
  return {
    kind: "none",
    probe: async () => ({
      isolation: "none",
      label: "no sandbox",
      cgroup: "none",
      network: "none",
      diskQuota: "none",
      seccomp: false,
      pty: false,
      ports: false,
      reasons: [why],
      unavailable: why,
    }),
    connect: refused,
    workspace: refused,
    files: async () => null,
    destroy: (spec) => leftovers.destroy(spec),
    release: (spec) => leftovers.release(spec),
    reapLeftovers: () => leftovers.reapLeftovers(),
    close: () => leftovers.close(),
  };
}
