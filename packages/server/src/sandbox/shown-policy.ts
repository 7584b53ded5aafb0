import type { SandboxPolicy } from "./sandbox.ts";

/** A policy as it may be told and kept: the values of secrets are empty. */
export function shownPolicy({ limits, egress }: SandboxPolicy): SandboxPolicy {
  const allow = egress.allow.map((rule) => ({
    ...rule,
    ...(rule.secrets && { secrets: rule.secrets.map(({ placeholder }) => ({ placeholder, value: "" })) }),
  }));
  return { limits: { ...limits }, egress: { ...egress, allow } };
}
