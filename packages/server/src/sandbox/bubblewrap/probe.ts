import { chmod, mkdtemp, rm } from "node:fs/promises";
import type { Clock } from "../../lib/clock.ts";
import type { Capabilities } from "../sandbox.ts";
import type { QuotaKind } from "../workspaces/host-workspaces.ts";
import { nodeInside } from "./arguments.ts";
import type { ControlGroups } from "./control-groups.ts";
import { diagnose } from "./diagnose.ts";
import { findControlGroups } from "./find-control-groups.ts";
import { findPrograms, type Host, prepareHost } from "./host.ts";
import { agentScript } from "./agent-script.ts";
import { launch, type LaunchPrograms } from "./launch.ts";
import { findRootTools } from "./root-tools.ts";
import { syscallTables } from "./syscall-numbers.ts";
import { leaseUid, returnUid } from "./uid-leases.ts";

/** What was found, and what to make sandboxes with where that can be done. */
export interface Probed {
  readonly capabilities: Capabilities;
  readonly host: Host | null;
  readonly groups: ControlGroups | null;
}

export interface ProbeOptions {
  readonly dataDir: string;
  readonly rootfs?: string | undefined;
  readonly clock: Clock;
  readonly quota: () => { readonly quota: QuotaKind; readonly reason: string | null };
}

/** Tries for real what sandboxes need: a sandbox with everything in it, a control group, a workspace with a quota. */
export async function probeMachine(options: ProbeOptions): Promise<Probed> {
  const needs = findNeeds();
  if (typeof needs === "string") return unavailable(needs);
  const rootTools = process.getuid?.() === 0 ? findRootTools() : null;
  if (typeof rootTools === "string") return unavailable(rootTools);
  let host: Host;
  try {
    host = await prepareHost(needs, { ...options, rootTools, agentSource: await agentScript() });
  } catch (thrown) {
    return unavailable(`What sandboxes see could not be made: ${messageOf(thrown)}.`);
  }
  const problem = await tryOne(host, options.clock);
  if (problem !== null) return unavailable(problem);
  const found = await findControlGroups();
  const { quota, reason } = options.quota();
  return {
    host,
    groups: found.groups,
    capabilities: {
      ...everything,
      cgroup: found.groups?.version ?? "none",
      diskQuota: quota,
      reasons: [
        ...(found.groups === null ? [found.reason] : []),
        ...(reason === null ? [] : [reason]),
        ...(rootTools === null ? [sharedUser] : []),
        ...(process.arch === "arm64" ? [unverified] : []),
      ],
    },
  };
}

const sharedUser =
  "The server is not root, so sandboxes run as its own user and a warm sandbox takes only a workspace that is new: run a sandbox host as root to give each sandbox a user of its own.";
const unverified =
  "On arm64 the system call filter was tried under a kernel of that kind, but no whole sandbox: run the attacks (npm run attack) before you rely on it.";

const everything: Capabilities = {
  isolation: "namespace",
  label: "isolated by bubblewrap",
  cgroup: "none",
  network: "proxy",
  diskQuota: "none",
  seccomp: true,
  pty: true,
  ports: true,
  reasons: [],
};

/** The programs that are needed, or the sentence that says what is missing. */
function findNeeds(): LaunchPrograms | string {
  if (process.platform !== "linux") return "bubblewrap needs Linux: use a sandbox host.";
  if (syscallTables[process.arch] === undefined) {
    return `There is no system call filter for ${process.arch}: use a sandbox host of another kind.`;
  }
  return findPrograms();
}

/** Programs that the agent runs commands with; an own system may lack them. */
const lookForPrograms = `
const programs = ["/bin/bash", "/usr/bin/mkfifo", "/usr/bin/script", "/usr/bin/stty"];
const missing = programs.find((program) => !require("node:fs").existsSync(program));
if (missing) console.error("its system has no " + missing);
process.exitCode = missing ? 1 : 42;`;

/** Makes a sandbox with everything and runs the agent's Node in it. Null when that works. */
async function tryOne(host: Host, clock: Clock): Promise<string | null> {
  const workspace = await mkdtemp(`${host.places.shared}/try-`);
  const uid = host.rootTools === null ? null : await leaseUid(null, "probe");
  try {
    await chmod(workspace, 0o755);
    const plan = {
      view: host.view,
      workspace,
      node: host.node,
      agent: host.agent,
      egress: null,
      tmpBytes: 1_048_576,
      shmBytes: 1_048_576,
    };
    const launched = await launch({
      programs: host.programs,
      plan,
      seccomp: host.seccomp,
      command: [nodeInside, "--eval", lookForPrograms],
      openFiles: 1_024,
      fileBytes: 1_048_576,
      uid,
      clock,
    });
    launched.stdout.resume();
    launched.go();
    const { code } = await launched.ended;
    launched.stdin.destroy();
    return code === 42 ? null : diagnose(launched.errors());
  } catch (thrown) {
    const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause.message : "";
    return diagnose(cause === "" ? messageOf(thrown) : cause);
  } finally {
    if (uid !== null) await returnUid(uid, "probe");
    await rm(workspace, { recursive: true, force: true });
  }
}

function unavailable(why: string): Probed {
  const capabilities: Capabilities = {
    isolation: "none",
    label: "not available",
    cgroup: "none",
    network: "none",
    diskQuota: "none",
    seccomp: false,
    pty: false,
    ports: false,
    reasons: [why],
    unavailable: why,
  };
  return { capabilities, host: null, groups: null };
}

const messageOf = (thrown: unknown) => (thrown instanceof Error ? thrown.message : String(thrown));
