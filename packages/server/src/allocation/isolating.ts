import type { Capabilities } from "../sandbox/sandbox.ts";

/**
 * Why sandboxes with these capabilities are nothing for many organizations on one server, or null when they are: each needs isolation, a
 * system call filter, limits of what it takes, and no network but the proxy's.
 */
export function notIsolating(given: Capabilities): string | null {
  const { isolation, seccomp, cgroup, network } = given;
  const stronger = isolation === "gvisor" || isolation === "vm";
  const lacks = [
    ...(isolation === "namespace" || stronger ? [] : ["isolation"]),
    ...(seccomp || stronger ? [] : ["a system call filter"]),
    ...(cgroup === "none" ? ["limits of memory, processor and processes (control groups)"] : []),
    ...(network === "open" ? ["a network of its own"] : []),
  ];
  if (lacks.length === 0) return null;
  const reasons = given.reasons.length === 0 ? "" : ` (${given.reasons.join(" ")})`;
  return `mode multi needs sandboxes with ${lacks.join(", ")}, which cannot be had here${reasons}`;
}

/** What a provider can give, as unavailable when `refuse` says why it is not enough. */
export function judged(given: Capabilities, refuse: (given: Capabilities) => string | null): Capabilities {
  const why = given.unavailable ?? refuse(given);
  return why === null ? given : { ...given, unavailable: why };
}
