import { createHash } from "node:crypto";
import { createSingleSandboxes } from "../support/sandbox/single-sandboxes.ts";
import type { SessionPlace } from "../../src/allocation/session-sandboxes.ts";
import { makeBubblewrap } from "../support/sandbox/bubblewrap-rig.ts";
import { openPortTarget } from "./port-target.ts";
import type { Target } from "./target.ts";

/** Real sandboxes of this machine, without a server around them. */
export function openBubblewrapPort(): Promise<Target> {
  return openPortTarget("bubblewrap, port", async (dataDir) => {
    const rig = await makeBubblewrap({ dataDir });
    const sandboxes = createSingleSandboxes({ provider: rig.provider, workspaceIdOf });
    return { ...sandboxes, close: () => rig.close() };
  });
}

/** Says nothing of whose it is. */
function workspaceIdOf({ orgId, sessionId }: SessionPlace): string {
  const digest = createHash("sha256").update(`${orgId}/${sessionId}`).digest("hex");
  return `wsp_${digest.slice(0, 26)}`;
}
