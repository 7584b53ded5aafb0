import type { SandboxDirectory } from "./sandbox-directory.ts";
import type { SessionSandboxes } from "./session-sandboxes.ts";
import { BerthError } from "../lib/errors.ts";

/** For sandboxes of which no records are kept: nothing is listed, and none is found. */
export function createEmptyDirectory({ probe }: Pick<SessionSandboxes, "probe">): SandboxDirectory {
  const absent = async (_: string, sandboxId: string) => {
    throw new BerthError("sandbox_not_found", `There is no sandbox ${sandboxId}.`);
  };
  return {
    list: async () => ({ items: [], next: null }),
    quota: async () => null,
    find: async () => null,
    allocations: async () => ({ items: [], next: null }),
    findAllocation: async () => null,
    connect: absent,
    destroy: (orgId, { sandboxId }) => absent(orgId, sandboxId),
    census: async () => ({
      capabilities: await probe(),
      hosts: [],
      warm: 0,
      live: { creating: 0, active: 0, destroying: 0 },
    }),
  };
}
