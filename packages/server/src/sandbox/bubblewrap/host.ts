import {
  chmod,
  constants,
  copyFile,
  link,
  mkdir,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { createHash } from "node:crypto";
import type { SystemView } from "./arguments.ts";
import { inheritedDescriptors } from "./inherited-descriptors.ts";
import type { LaunchPrograms } from "./launch.ts";
import type { RootTools } from "./root-tools.ts";
import { findProgram } from "../run-program.ts";
import { seccompProgram } from "./seccomp.ts";
import { syscallTables } from "./syscall-numbers.ts";
import { viewOfMachine, viewOfRootfs } from "./system-view.ts";
import { prepareLeases, runFolder } from "./uid-leases.ts";

/** Folders of the provider. */
export interface Places {
  /** A folder for each sandbox, with its record. Nobody but the server may enter. */
  readonly sandboxes: string;
  /** Sockets and mount points, which users of sandboxes must reach. Short, and says nothing of the server. */
  readonly run: string;
  /** What all sandboxes see, the same for every Berth of this machine. */
  readonly shared: string;
  /** Of the data folder's file system, for what is being deleted. */
  readonly trash: string;
}

/** What every start on this machine uses, made once. */
export interface Host {
  readonly places: Places;
  readonly programs: LaunchPrograms;
  /** Null when the server is not root. */
  readonly rootTools: RootTools | null;
  readonly seccomp: Buffer;
  readonly view: SystemView;
  /** Paths that users of sandboxes can reach. */
  readonly node: string;
  readonly agent: string;
}

export interface HostOptions {
  readonly dataDir: string;
  readonly rootfs?: string | undefined;
  /** The program that runs in every sandbox. */
  readonly agentSource: string;
  /** Null when the server is not root. */
  readonly rootTools: RootTools | null;
}

/** Programs that must be there, or the sentence that says which is missing and what to do. */
export function findPrograms(): LaunchPrograms | string {
  const bwrap = findProgram("bwrap");
  if (bwrap === null)
    return "bubblewrap is not installed: apt-get install bubblewrap, or your system's package of that name.";
  const prlimit = findProgram("prlimit");
  if (prlimit === null)
    return "prlimit is not installed: apt-get install util-linux, or your system's package of that name.";
  const bash = findProgram("bash");
  if (bash === null) return "bash is not installed: apt-get install bash.";
  return { bwrap, prlimit, bash, inherited: inheritedDescriptors() };
}

/** Makes what sandboxes are given to see. Rejects as the file system does. */
export async function prepareHost(programs: LaunchPrograms, options: HostOptions): Promise<Host> {
  const { rootTools } = options;
  const data = await realpath(options.dataDir);
  const top = rootTools ? runFolder : `${data}/sandbox/run`;
  const places = {
    sandboxes: `${data}/sandbox/sandboxes`,
    run: `${top}/${shortHash(data)}`,
    shared: `${top}/shared`,
    trash: `${data}/sandbox/trash`,
  };
  for (const folder of [places.sandboxes, places.trash])
    await mkdir(folder, { recursive: true, mode: 0o700 });
  await mkdir(places.shared, { recursive: true });
  await chmod(top, 0o755);
  await chmod(places.shared, 0o755);
  if (rootTools) await prepareLeases();
  const etc = `${places.shared}/etc`;
  const view =
    options.rootfs === undefined ? await viewOfMachine(etc) : await viewOfRootfs(options.rootfs, etc);
  const agent = `${places.shared}/agent-${shortHash(options.agentSource)}.mjs`;
  await writeWhole(agent, options.agentSource);
  const table = syscallTables[process.arch];
  if (table === undefined) throw new Error(`there is no system call table for ${process.arch}`);
  return {
    places,
    programs,
    rootTools,
    seccomp: seccompProgram(table),
    view,
    node: await reachableNode(places.shared),
    agent,
  };
}

/**
 * The server's own Node at a path that says nothing of where the server is installed (it shows in the sandbox's mount table), and
 * that other users can reach: another name for the same file where the file system allows, else where it is, else a copy.
 */
async function reachableNode(shared: string): Promise<string> {
  const from = await realpath(process.execPath);
  const { ino, size, mtimeMs, mode } = await stat(from);
  const to = `${shared}/node-${shortHash(`${ino} ${size} ${mtimeMs}`)}`;
  if (await isThere(to)) return to;
  try {
    await link(from, to);
    if ((mode & 0o005) === 0o005) return to;
    await rm(to);
  } catch {
    // Another file system, or one that knows no links.
  }
  if (await isReachable(from)) return from;
  const draft = `${to}.${process.pid}`;
  await copyFile(from, draft, constants.COPYFILE_FICLONE);
  await chmod(draft, 0o755);
  await rename(draft, to);
  return to;
}

/** Whether every user may pass all folders on the way and read and run the file. */
async function isReachable(path: string): Promise<boolean> {
  if (((await stat(path)).mode & 0o005) !== 0o005) return false;
  for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
    if (((await stat(path.slice(0, at))).mode & 0o001) === 0) return false;
  }
  return true;
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

async function writeWhole(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, text);
  await chmod(draft, 0o644);
  await rename(draft, path);
}

const shortHash = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 12);
