import type { Capabilities } from "../sandbox.ts";

const isolations = ["none", "process", "namespace", "gvisor", "vm"] as const;
const cgroups = ["none", "v1", "v2"] as const;
/** From what protects least on. */
const networks = ["open", "none", "proxy"] as const;
const quotas = ["none", "watched", "image"] as const;

/** What each host can give by itself: what one can give wherever a sandbox comes to be. */
export function weakest(
  hosts: readonly { readonly name: string; readonly capabilities: Capabilities }[],
): Capabilities {
  const [first, ...rest] = hosts.map(({ capabilities }) => capabilities);
  if (first === undefined) {
    const unavailable = "No sandbox host answers: start one, or look at what `berth doctor` says of them.";
    return { ...nothing, unavailable };
  }
  const all = [first, ...rest];
  const least = <T>(order: readonly T[], of: (one: Capabilities) => T): T =>
    all.map(of).reduce((one, other) => (order.indexOf(other) < order.indexOf(one) ? other : one));
  const isolation = least(isolations, (one) => one.isolation);
  const given = all.find((one) => one.isolation === isolation) ?? first;
  const usable = all.some((one) => one.unavailable === undefined);
  return {
    isolation,
    label: given.label,
    cgroup: least(cgroups, (one) => one.cgroup),
    network: least(networks, (one) => one.network),
    diskQuota: least(quotas, (one) => one.diskQuota),
    seccomp: all.every((one) => one.seccomp),
    pty: all.every((one) => one.pty),
    ports: all.every((one) => one.ports),
    reasons: hosts.flatMap(({ name, capabilities }) =>
      capabilities.reasons.map((reason) => `${name}: ${reason}`),
    ),
    ...(!usable && { unavailable: `${hosts[0]?.name ?? ""}: ${given.unavailable ?? ""}` }),
  };
}

const nothing: Capabilities = {
  isolation: "none",
  label: "no sandbox host",
  cgroup: "none",
  network: "none",
  diskQuota: "none",
  seccomp: false,
  pty: false,
  ports: false,
  reasons: [],
};
