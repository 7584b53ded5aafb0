/** What a sandbox sees of the system besides its workspace; all of it read-only. */
export interface SystemView {
  /** `usr`: this machine's /usr without /usr/local. Else the top folders of an own root file system. */
  readonly kind: "usr" | "rootfs";
  /** Folders and the names that they have in the sandbox. */
  readonly folders: readonly Bind[];
  /** Links of the top folder: /bin and the like. */
  readonly links: readonly { readonly target: string; readonly at: string }[];
  /** Files and folders of /etc, in order. */
  readonly etc: readonly Bind[];
}

export interface Bind {
  readonly from: string;
  readonly at: string;
}

export interface SandboxPlan {
  readonly view: SystemView;
  /** The host's folder that becomes /workspace. */
  readonly workspace: string;
  /** The server's own Node, which runs the agent. */
  readonly node: string;
  readonly agent: string;
  /** Holds the socket of the policy proxy; null: no network at all. */
  readonly egress: string | null;
  readonly tmpBytes: number;
  readonly shmBytes: number;
  /** Descriptors in bubblewrap's process. */
  readonly seccomp: number;
  readonly info: number;
  readonly block: number;
}

/** Of every command, unless it has another one. */
export const searchPath = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/** Where the agent and the Node that runs it are in every sandbox. */
export const nodeInside = "/opt/berth/node";
export const agentInside = "/opt/berth/agent.mjs";

/**
 * bubblewrap's options, to be given by `--args`, so that they show in no command line. The order matters: later mounts lie
 * on earlier ones, and what is made read-only last can still be filled before.
 */
export function bubblewrapArguments(plan: SandboxPlan): string[] {
  return [
    isolation,
    systemMounts(plan.view),
    ["--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys"],
    firstProcess,
    ["--dev", "/dev", "--size", String(plan.shmBytes), "--perms", "1777", "--tmpfs", "/dev/shm"],
    ["--remount-ro", "/dev"],
    ["--size", String(plan.tmpBytes), "--perms", "1777", "--tmpfs", "/tmp", "--symlink", "/tmp", "/var/tmp"],
    ["--ro-bind", plan.node, nodeInside, "--ro-bind", plan.agent, agentInside],
    plan.egress === null ? [] : ["--ro-bind", plan.egress, "/run/berth"],
    ["--bind", plan.workspace, "/workspace", "--chdir", "/workspace"],
    // The top itself is a tmpfs without a size of its own.
    ["--remount-ro", "/"],
    ["--setenv", "HOME", "/workspace", "--setenv", "PATH", searchPath, "--setenv", "LANG", "C.UTF-8"],
    ["--seccomp", String(plan.seccomp), "--info-fd", String(plan.info), "--block-fd", String(plan.block)],
  ].flat();
}

const isolation = [
  ["--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup"],
  ["--disable-userns", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL"],
  ["--die-with-parent", "--new-session", "--clearenv", "--hostname", "sandbox"],
].flat();

/**
 * bubblewrap stays as the first process and is of the same user as the rest. Its memory holds the host's table of mounts, and who
 * writes it can make that process outlive the server: neither by this name nor by its thread's may anybody have it.
 */
const firstProcess = [
  ["--ro-bind", "/dev/null", "/proc/1/mem"],
  ["--size", "4096", "--tmpfs", "/proc/1/task", "--remount-ro", "/proc/1/task"],
].flat();

function systemMounts({ kind, folders, links, etc }: SystemView): string[] {
  return [
    folders.flatMap(({ from, at }) => ["--ro-bind", from, at]),
    // Of this machine it may hold secrets; in an own root file system it is there to be used.
    kind === "usr" ? ["--size", "4096", "--tmpfs", "/usr/local", "--remount-ro", "/usr/local"] : [],
    links.flatMap(({ target, at }) => ["--symlink", target, at]),
    etc.flatMap(({ from, at }) => ["--ro-bind", from, at]),
  ].flat();
}

/** As bubblewrap reads them: each ended by a zero byte. */
export function encodeArguments(list: readonly string[]): Buffer {
  return Buffer.from(list.map((argument) => `${argument}\0`).join(""));
}
