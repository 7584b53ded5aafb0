import type { z } from "zod";
import type { info } from "../protocol/shapes.ts";
import type { SandboxInfo } from "../sandbox.ts";
import { shownPolicy } from "../shown-policy.ts";

/** A sandbox as its server is told of it: the host's own name and address for it stay here, and values of secrets too. */
export function toldInfo(sandbox: SandboxInfo): z.infer<typeof info> {
  const { id, incarnation, deployment, template, workspaceId, policy, ageMs, ttlLeftMs } = sandbox;
  const told = shownPolicy(policy) as z.infer<typeof info>["policy"];
  return {
    id,
    incarnation,
    deployment,
    template,
    workspaceId,
    policy: told,
    ageMs: Math.max(0, ageMs),
    ttlLeftMs,
  };
}
