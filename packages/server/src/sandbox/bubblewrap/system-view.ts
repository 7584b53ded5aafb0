import { chmod, lstat, mkdir, readdir, readFile, readlink, rename, stat, writeFile } from "node:fs/promises";
import { newRunName } from "../run-name.ts";
import type { Bind, SystemView } from "./arguments.ts";

/** What of /etc the commands of a sandbox need and may see; without it awk, vi, whoami and TLS do not work. */
const sharedEtc = ["alternatives", "ssl/certs", "ld.so.cache"];

/** Written anew for every sandbox to read: nothing of this machine's own is in them. */
const syntheticEtc: Readonly<Record<string, string>> = {
  passwd: "root:x:0:0:root:/nonexistent:/usr/sbin/nologin\nuser:x:1000:1000::/workspace:/bin/bash\n",
  group: "root:x:0:\nuser:x:1000:\n",
  hosts: "127.0.0.1 localhost sandbox\n::1 localhost\n",
  // There is no resolver: names are looked up by the policy proxy.
  "resolv.conf": "",
  "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
};

/**
 * What sandboxes see of this machine: /usr without /usr/local. `etc` is a folder of ours that becomes their /etc; it is made
 * and filled.
 */
export async function viewOfMachine(etc: string): Promise<SystemView> {
  await writeEtc(etc);
  const shared: Bind[] = [];
  for (const name of sharedEtc) {
    const found = await stat(`/etc/${name}`).catch(() => null);
    if (found === null) continue;
    // What it lies on must be there: a read-only folder takes no new names.
    if (found.isDirectory()) await makeFolder(`${etc}/${name}`, etc);
    else await writeFile(`${etc}/${name}`, "", { mode: 0o644 });
    shared.push({ from: `/etc/${name}`, at: `/etc/${name}` });
  }
  const top = await describeEntries({ root: "", at: "", names: ["bin", "lib", "lib64", "sbin"] });
  return {
    kind: "usr",
    folders: [{ from: "/usr", at: "/usr" }, ...top.binds],
    links: top.links,
    etc: [{ from: etc, at: "/etc" }, ...shared],
  };
}

/** Of an own root file system: what every sandbox has of its own, and what is of no use in one. */
const notOfRootfs = new Set(
  "proc sys dev tmp run workspace etc var opt lost+found boot root home".split(" "),
);

/**
 * What sandboxes see of an own root file system: everything in it but what a sandbox has of its own. Rejects with what is
 * missing when it is no system.
 */
export async function viewOfRootfs(rootfs: string, etc: string): Promise<SystemView> {
  await writeEtc(etc);
  const own = await readdir(rootfs);
  const top = await entriesOf({ root: rootfs, at: "", without: notOfRootfs });
  // Something of ours is made in these, so that they cannot be there as a whole.
  const inVar = await entriesOf({ root: rootfs, at: "/var", without: new Set(["tmp"]) });
  const inOpt = await entriesOf({ root: rootfs, at: "/opt", without: new Set(["berth"]) });
  const inEtc = await etcOfRootfs(rootfs, etc);
  if (!own.includes("usr")) throw new Error(`${rootfs} has no folder usr`);
  return {
    kind: "rootfs",
    folders: [top, inVar, inOpt].flatMap(({ binds }) => binds),
    links: [top, inVar, inOpt, inEtc].flatMap(({ links }) => links),
    etc: inEtc.binds,
  };
}

/** Its /etc with our files in the place of its own; one by one where a file of ours has nothing to lie on. */
async function etcOfRootfs(rootfs: string, etc: string): Promise<Entries> {
  const names = Object.keys(syntheticEtc);
  const found = await Promise.all(names.map((name) => lstat(`${rootfs}/etc/${name}`).catch(() => null)));
  const synthetic = (wanted: readonly string[]) =>
    wanted.map((name) => ({ from: `${etc}/${name}`, at: `/etc/${name}` }));
  if (found.every((one) => one?.isFile())) {
    return { binds: [{ from: `${rootfs}/etc`, at: "/etc" }, ...synthetic(names)], links: [] };
  }
  const { binds, links } = await entriesOf({ root: rootfs, at: "/etc", without: new Set(names) });
  return { binds: [...binds, ...synthetic(names)], links };
}

type Entries = { readonly binds: Bind[]; readonly links: { readonly target: string; readonly at: string }[] };

/** What is in a folder of a system; nothing when there is no such folder. */
async function entriesOf(options: {
  root: string;
  at: string;
  without: ReadonlySet<string>;
}): Promise<Entries> {
  const names = await readdir(`${options.root}${options.at}`).catch(() => []);
  return await describeEntries({ ...options, names: names.filter((name) => !options.without.has(name)) });
}

async function describeEntries(options: {
  root: string;
  at: string;
  names: readonly string[];
}): Promise<Entries> {
  const { root, at, names } = options;
  const entries: Entries = { binds: [], links: [] };
  for (const name of names) {
    const [from, inside] = [`${root}${at}/${name}`, `${at}/${name}`];
    const found = await lstat(from).catch(() => null);
    if (found?.isSymbolicLink()) entries.links.push({ target: await readlink(from), at: inside });
    if (found?.isDirectory() || found?.isFile()) entries.binds.push({ from, at: inside });
  }
  return entries;
}

async function writeEtc(etc: string): Promise<void> {
  await makeFolder(etc, etc);
  for (const [name, text] of Object.entries(syntheticEtc)) {
    // Living sandboxes have the folder, other servers' too: what is right is left alone, and never half there.
    if ((await readFile(`${etc}/${name}`, "utf8").catch(() => null)) === text) continue;
    const draft = `${etc}.${newRunName()}`;
    await writeFile(draft, text);
    await chmod(draft, 0o644);
    await rename(draft, `${etc}/${name}`);
  }
}

/** Readable by the users of sandboxes, whatever the server's umask is. */
async function makeFolder(path: string, top: string): Promise<void> {
  await mkdir(path, { recursive: true });
  for (let folder = path; folder.length >= top.length; folder = folder.slice(0, folder.lastIndexOf("/"))) {
    await chmod(folder, 0o755);
  }
}
