import { existsSync, readFileSync } from "node:fs";

/** Why bubblewrap could not make a sandbox, as far as the machine tells, and what to do about it. `said`: its own words. */
export function diagnose(said: string, machine: Machine = thisMachine): string {
  if (machine.number("/proc/sys/user/max_user_namespaces") === 0) {
    return "User namespaces are off on this machine: sysctl -w user.max_user_namespaces=15000.";
  }
  if (machine.number("/proc/sys/kernel/unprivileged_userns_clone") === 0) {
    return "User namespaces are for root only on this machine: sysctl -w kernel.unprivileged_userns_clone=1.";
  }
  if (/unknown option/i.test(said)) {
    return `bubblewrap is too old: version 0.8.0 or newer is needed (it said: ${lastLine(said)}).`;
  }
  const unreachable = /Can't find source path (\S+): Permission denied/.exec(said)?.[1];
  if (unreachable !== undefined) {
    return `Users of sandboxes cannot reach ${unreachable}: let everybody enter the folders above it (chmod o+x), and read what is in it.`;
  }
  const lacks = /its system has no (\S+)/.exec(said)?.[1];
  if (lacks !== undefined) {
    return `The system that sandboxes see has no ${lacks}, which commands and terminals need: install it there (bash, coreutils, and bsdutils or util-linux).`;
  }
  const refused = /permission denied|operation not permitted|not permitted|no permissions/i.test(said);
  if (refused && machine.inContainer()) {
    return `This container may not make sandboxes: run sandboxes on a sandbox host of their own, or start it with --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined (bubblewrap said: ${lastLine(said)}).`;
  }
  if (refused && machine.number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") === 1) {
    return "AppArmor keeps programs from making user namespaces: give /usr/bin/bwrap a profile with `userns,`, or sysctl -w kernel.apparmor_restrict_unprivileged_userns=0.";
  }
  return `bubblewrap cannot make a sandbox on this machine: ${lastLine(said)}.`;
}

/** What is asked of the machine. */
export interface Machine {
  /** Of a file of /proc; null when it is not there. */
  number(file: string): number | null;
  inContainer(): boolean;
}

const thisMachine: Machine = {
  number(file) {
    if (!existsSync(file)) return null;
    return Number(readFileSync(file, "utf8").trim());
  },
  inContainer() {
    if (["/.dockerenv", "/run/.containerenv"].some((file) => existsSync(file))) return true;
    return /docker|kubepods|containerd|lxc/.test(readFileSync("/proc/1/cgroup", "utf8"));
  },
};

function lastLine(said: string): string {
  return said.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
}
