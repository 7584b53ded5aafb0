import { hashJson } from "../lib/canonical-json.ts";
import type { SandboxLimits, SandboxPolicy } from "../sandbox/sandbox.ts";
import type { SandboxWish } from "./session-sandboxes.ts";

/** How sandboxes are given out; the operator's part. Times are milliseconds. */
export interface AllocationSettings {
  /** Of a sandbox whose agent wishes nothing else. */
  readonly limits: SandboxLimits;
  /** The most that an agent may wish; what is not named is the most of the limits already. */
  readonly maxLimits: Partial<SandboxLimits>;
  /** What else makes sandboxes differ that are not made alike, for example the root file system. */
  readonly template: string;
  /** Kept ready before anybody needs one. */
  readonly warm: number;
  readonly idleTtlMs: number;
  readonly maxLifeMs: number;
  readonly perUser: number;
  readonly perOrg: number;
  /** How long somebody waits for room. */
  readonly waitMs: number;
}

/** What a sandbox is held to: the wish within the limits, and what the organization lets all of its sandboxes reach. */
export function policyOf(
  settings: AllocationSettings,
  wish: SandboxWish | undefined,
  orgEgress: SandboxPolicy["egress"]["allow"],
): SandboxPolicy {
  const { limits, maxLimits } = settings;
  const wished = { ...limits, ...wish?.limits };
  const names = Object.keys(limits) as (keyof SandboxLimits)[];
  const bounded = names.map((name) => [name, Math.min(wished[name], maxLimits[name] ?? limits[name])]);
  return {
    limits: Object.fromEntries(bounded),
    egress: { allow: [...(wish?.egress?.allow ?? []), ...orgEgress] },
  };
}

/** Names what cannot be changed once a sandbox is made: those of one template are interchangeable until they are given out. */
export function templateOf({ template }: AllocationSettings, { limits }: SandboxPolicy): string {
  const { tmpBytes, shmBytes, openFiles, fileBytes } = limits;
  return `tpl_${hashJson({ template, tmpBytes, shmBytes, openFiles, fileBytes }).slice(0, 12)}`;
}

/** Whether what is in force is what was asked for. The values of secrets are told by nobody. */
export function samePolicy(inForce: SandboxPolicy, wanted: SandboxPolicy): boolean {
  return policyMark(inForce) === policyMark(wanted);
}

function policyMark({ limits, egress }: SandboxPolicy): string {
  const allow = egress.allow.map(({ host, ports, secrets }) => ({
    host,
    ports: ports ?? null,
    secrets: secrets?.map(({ placeholder }) => placeholder).toSorted() ?? [],
  }));
  return hashJson({ limits, allow });
}
