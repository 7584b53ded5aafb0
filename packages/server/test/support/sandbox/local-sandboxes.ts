import type { SessionSandboxes } from "../../../src/allocation/session-sandboxes.ts";
import { createSingleSandboxes } from "./single-sandboxes.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { createLocalProcess } from "../../../src/sandbox/local-process/local-process.ts";

/** A sandbox of plain processes for each session, for tests of what stands on sandboxes. */
export function localSandboxes(
  dataDir: string,
  environment: Readonly<Record<string, string>> = {},
): SessionSandboxes {
  const provider = createLocalProcess({ dataDir, clock: systemClock, environment });
  return createSingleSandboxes({ provider, workspaceIdOf: (place) => provider.derivedWorkspaceId(place) });
}
