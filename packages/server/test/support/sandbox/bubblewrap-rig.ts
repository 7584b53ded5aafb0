import { mkdir } from "node:fs/promises";
import { inspect } from "node:util";
import { systemClock } from "../../../src/lib/clock.ts";
import { type BubblewrapOptions, createBubblewrap } from "../../../src/sandbox/bubblewrap/bubblewrap.ts";
import { createSearch } from "../../../src/sandbox/files/search.ts";
import type { SandboxProvider } from "../../../src/sandbox/sandbox.ts";
import { findQuota } from "../../../src/sandbox/workspaces/find-quota.ts";
import { createWorkspaces } from "../../../src/sandbox/workspaces/workspaces.ts";

export interface BubblewrapRig {
  readonly provider: SandboxProvider;
  /** What the provider warned of. */
  readonly warnings: readonly string[];
  readonly close: () => Promise<void>;
}

const watched = { kind: "watched", reason: "It was asked for." } as const;

/** A provider with real sandboxes, as the server makes it; `quota`: what a server has that is not root. */
export async function makeBubblewrap(
  given: Partial<BubblewrapOptions> & { readonly dataDir: string; readonly quota?: "watched" },
): Promise<BubblewrapRig> {
  const { dataDir, clock = systemClock } = given;
  await mkdir(dataDir, { recursive: true });
  const warnings: string[] = [];
  const warn = (details: Readonly<Record<string, unknown>>, message: string) => {
    warnings.push(`${message}: ${inspect(details)}`);
  };
  const search = createSearch({ clock });
  const quota = given.quota === undefined ? await findQuota(dataDir) : watched;
  const workspaces = createWorkspaces({ dataDir, quota, reason: quota.reason, clock, search, warn });
  const provider = createBubblewrap({ log: { warn }, ...given, dataDir, clock, workspaces });
  return {
    provider,
    warnings,
    async close() {
      await provider.close();
      await search.close();
    },
  };
}
