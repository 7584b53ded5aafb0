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

/** What the kernel tells this process of control groups. */
interface OwnControlGroups {
  /** /proc/self/mountinfo */
  readonly mounts: string;
  /** /proc/self/cgroup */
  readonly own: string;
  readonly isRoot: boolean;
}

/** Looks at what is mounted and tries it: what cannot be written is not there. Version 2 is preferred. */
export async function findControlGroups(given?: OwnControlGroups): Promise<FoundControlGroups> {
  const told = given ?? {
    mounts: await readFile("/proc/self/mountinfo", "utf8"),
    own: await readFile("/proc/self/cgroup", "utf8"),
    isRoot: process.getuid?.() === 0,
  };
  const mounts = parseMounts(told.mounts);
  const own = parseOwn(told.own);
  const unified = await findUnified(mounts.unified, own.get("") ?? "/", told.isRoot);
  if (typeof unified !== "string") return { groups: unified };
  const split = await findSplit(mounts.split, own);
  if (typeof split !== "string") return { groups: split };
  return { groups: null, reason: mounts.split.length > 0 && mounts.unified === null ? split : unified };
}

/** The server's own group in a group that was given to it, beside those of its sandboxes. */
const ofServer = "/berth-server";

async function findUnified(
  mounted: Mounted | null,
  own: string,
  isRoot: boolean,
): Promise<ControlGroups | string> {
  if (mounted === null)
    return "No control groups are mounted, so memory, processor and processes have no limit.";
  const folder = within(mounted, own.endsWith(ofServer) ? own.slice(0, -ofServer.length) || "/" : own);
  const refusal = await tryUnified(folder);
  if (refusal === null) return controlGroupsV2(folder);
  // Nothing was given to it: root of the machine itself may have a group beside everybody else's.
  if (!isRoot || mounted.root !== "/" || folder === mounted.folder) return refusal;
  if ((await missingIn(mounted.folder)).length > 0) return refusal;
  const beside = `${mounted.folder}/berth`;
  try {
    await mkdir(beside, { recursive: true });
    await enable(mounted.folder);
  } catch {
    return refusal;
  }
  return (await tryUnified(beside)) === null ? controlGroupsV2(beside) : refusal;
}

async function missingIn(folder: string): Promise<readonly string[]> {
  const has = words(await readFile(`${folder}/cgroup.controllers`, "utf8").catch(() => ""));
  return wanted.filter((controller) => !has.includes(controller));
}

/** Null when groups with all limits can be made in a folder, else the sentence that says why not. */
async function tryUnified(folder: string): Promise<string | null> {
  const missing = await missingIn(folder);
  if (missing.length > 0) {
    return `The control group of the server has no ${missing.join(", ")} controller, so sandboxes have no limit of it: run Berth as a systemd service with Delegate=yes, or as root on a machine with control groups.`;
  }
  try {
    await enableControllers(folder);
    await tryGroup(folder);
    return null;
  } catch (thrown) {
    return `The server may not make control groups (${String(errnoOf(thrown))} in ${folder}), so memory, processor and processes have no limit: run Berth as a systemd service with Delegate=yes and nothing else in its group.`;
  }
}

/**
 * A group of version 2 has either processes or groups with controllers: a server that is in it moves itself into one of its own,
 * and back when that was of no use because others are there too.
 */
async function enableControllers(folder: string): Promise<void> {
  const enabled = words(await readFile(`${folder}/cgroup.subtree_control`, "utf8"));
  if (wanted.every((controller) => enabled.includes(controller))) return;
  const pid = String(process.pid);
  const inside = words(await readFile(`${folder}/cgroup.procs`, "utf8"));
  if (!inside.includes(pid)) return await enable(folder);
  await mkdir(`${folder}${ofServer}`, { recursive: true });
  await writeFile(`${folder}${ofServer}/cgroup.procs`, pid);
  try {
    await enable(folder);
  } catch (thrown) {
    await writeFile(`${folder}/cgroup.procs`, pid);
    await rmdir(`${folder}${ofServer}`);
    throw thrown;
  }
}

const enable = (folder: string) =>
  writeFile(`${folder}/cgroup.subtree_control`, wanted.map((controller) => `+${controller}`).join(" "));

const words = (text: string) => text.trim().split(/\s+/);

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
