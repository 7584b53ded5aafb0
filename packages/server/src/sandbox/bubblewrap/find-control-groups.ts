import { randomBytes } from "node:crypto";
import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { errnoOf } from "../files/file-errors.ts";
import type { ControlGroups } from "./control-groups.ts";
import { controlGroupsV1, type Hierarchies } from "./control-groups-v1.ts";
import { controlGroupsV2 } from "./control-groups-v2.ts";

/** The control groups that this process may make groups in, or why there are none and what to do about it. */
export type FoundControlGroups =
  | { readonly groups: ControlGroups }
  | { readonly groups: null; readonly reason: string };

interface Mounted {
  readonly folder: string;
  readonly root: string;
  readonly controllers: readonly string[];
}

const wanted = ["memory", "pids", "cpu"] as const;

/** Looks at what is mounted and tries it: what cannot be written is not there. Version 2 is preferred. */
export async function findControlGroups(): Promise<FoundControlGroups> {
  const mounts = parseMounts(await readFile("/proc/self/mountinfo", "utf8"));
  const own = parseOwn(await readFile("/proc/self/cgroup", "utf8"));
  const unified = await findUnified(mounts.unified, own.get("") ?? "/");
  if (typeof unified !== "string") return { groups: unified };
  const split = await findSplit(mounts.split, own);
  if (typeof split !== "string") return { groups: split };
  return { groups: null, reason: mounts.split.length > 0 && mounts.unified === null ? split : unified };
}

async function findUnified(mounted: Mounted | null, own: string): Promise<ControlGroups | string> {
  if (mounted === null)
    return "No control groups are mounted, so memory, processor and processes have no limit.";
  const folder = within(mounted, own);
  const has = new Set(
    (await readFile(`${folder}/cgroup.controllers`, "utf8").catch(() => "")).trim().split(/\s+/),
  );
  const missing = wanted.filter((controller) => !has.has(controller));
  if (missing.length > 0) {
    return `The control group of the server has no ${missing.join(", ")} controller, so sandboxes have no limit of it: run Berth as a systemd service with Delegate=yes, or as root on a machine with control groups.`;
  }
  try {
    await enableControllers(folder);
    await tryGroup(folder);
  } catch (thrown) {
    return `The server may not make control groups (${String(errnoOf(thrown))} in ${folder}), so memory, processor and processes have no limit: run Berth as a systemd service with Delegate=yes and nothing else in its group.`;
  }
  return controlGroupsV2(folder);
}

/** A group of version 2 has either processes or groups with controllers: the server moves itself into one of its own. */
async function enableControllers(folder: string): Promise<void> {
  const control = `${folder}/cgroup.subtree_control`;
  const enabled = (await readFile(control, "utf8")).trim().split(/\s+/);
  if (wanted.every((controller) => enabled.includes(controller))) return;
  await mkdir(`${folder}/berth-server`, { recursive: true });
  await writeFile(`${folder}/berth-server/cgroup.procs`, String(process.pid));
  await writeFile(control, wanted.map((controller) => `+${controller}`).join(" "));
}

async function findSplit(
  mounted: readonly Mounted[],
  own: ReadonlyMap<string, string>,
): Promise<ControlGroups | string> {
  const folderOf = (controller: string) => {
    const found = mounted.find(({ controllers }) => controllers.includes(controller));
    return found === undefined ? null : within(found, own.get(controller) ?? "/");
  };
  const [memory, pids, cpu] = wanted.map(folderOf);
  if (!memory || !pids || !cpu) {
    return "This machine has no control groups for memory, processes and processor; mount them, or use a kernel that has them.";
  }
  const hierarchies: Hierarchies = { memory, pids, cpu, cpuacct: folderOf("cpuacct") };
  try {
    for (const folder of Object.values(hierarchies)) if (folder !== null) await tryGroup(folder);
  } catch (thrown) {
    return `The server may not make control groups (${String(errnoOf(thrown))}), so memory, processor and processes have no limit: run Berth as root, or on a machine with control groups of version 2 as a systemd service with Delegate=yes.`;
  }
  return controlGroupsV1(hierarchies);
}

async function tryGroup(parent: string): Promise<void> {
  const folder = `${parent}/berth-try-${randomBytes(6).toString("hex")}`;
  await mkdir(folder);
  await rmdir(folder);
}

/** Lines of /proc/self/mountinfo: `36 35 98:0 /root /folder options - type source super-options`. */
function parseMounts(text: string): { split: Mounted[]; unified: Mounted | null } {
  const split: Mounted[] = [];
  let unified: Mounted | null = null;
  for (const line of text.split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const [, , , root = "/", folder = ""] = before.split(" ");
    const [type, , options = ""] = after.split(" ");
    if (type === "cgroup") split.push({ folder, root, controllers: options.split(",") });
    if (type === "cgroup2") unified = { folder, root, controllers: [] };
  }
  return { split, unified };
}

/** Lines of /proc/self/cgroup: `4:memory:/path`; version 2 has no controllers. */
function parseOwn(text: string): Map<string, string> {
  const own = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, controllers, ...path] = line.split(":");
    if (controllers === undefined) continue;
    for (const controller of controllers.split(",")) own.set(controller, path.join(":"));
  }
  return own;
}

/** In a container the mount shows only a part of the hierarchy. */
function within({ folder, root }: Mounted, own: string): string {
  const path =
    own === root || own.startsWith(`${root === "/" ? "" : root}/`)
      ? own.slice(root === "/" ? 0 : root.length)
      : "";
  return `${folder}${path === "/" ? "" : path}`;
}
