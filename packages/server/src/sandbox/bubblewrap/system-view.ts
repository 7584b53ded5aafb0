import { chmod, lstat, mkdir, readdir, readlink, stat, writeFile } from "node:fs/promises";
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
  const top = await topOf("/", ["bin", "lib", "lib64", "sbin"]);
  return {
    kind: "usr",
    folders: [{ from: "/usr", at: "/usr" }, ...top.folders],
    links: top.links,
    etc: [{ from: etc, at: "/etc" }, ...shared],
  };
}

/** What sandboxes see of an own root file system: everything in it but what a sandbox has of its own. */
export async function viewOfRootfs(rootfs: string, etc: string): Promise<SystemView> {
  await writeEtc(etc);
  const own = new Set([
    "proc",
    "sys",
    "dev",
    "tmp",
    "run",
    "workspace",
    "etc",
    "lost+found",
    "boot",
    "root",
    "home",
  ]);
  const names = (await readdir(rootfs)).filter((name) => !own.has(name));
  const top = await topOf(rootfs, names);
  const synthetic: Bind[] = [];
  for (const name of Object.keys(syntheticEtc)) {
    const there = await lstat(`${rootfs}/etc/${name}`).catch(() => null);
    if (there?.isFile()) synthetic.push({ from: `${etc}/${name}`, at: `/etc/${name}` });
  }
  return {
    kind: "rootfs",
    folders: top.folders,
    links: top.links,
    etc: [{ from: `${rootfs}/etc`, at: "/etc" }, ...synthetic],
  };
}

async function topOf(root: string, names: readonly string[]): Promise<Pick<SystemView, "folders" | "links">> {
  const folders: Bind[] = [];
  const links: { target: string; at: string }[] = [];
  const base = root === "/" ? "" : root;
  for (const name of names) {
    const found = await lstat(`${base}/${name}`).catch(() => null);
    if (found?.isSymbolicLink()) links.push({ target: await readlink(`${base}/${name}`), at: `/${name}` });
    if (found?.isDirectory()) folders.push({ from: `${base}/${name}`, at: `/${name}` });
  }
  return { folders, links };
}

async function writeEtc(etc: string): Promise<void> {
  await makeFolder(etc, etc);
  for (const [name, text] of Object.entries(syntheticEtc)) {
    await writeFile(`${etc}/${name}`, text);
    await chmod(`${etc}/${name}`, 0o644);
  }
}

/** Readable by the users of sandboxes, whatever the server's umask is. */
async function makeFolder(path: string, top: string): Promise<void> {
  await mkdir(path, { recursive: true });
  for (let folder = path; folder.length >= top.length; folder = folder.slice(0, folder.lastIndexOf("/"))) {
    await chmod(folder, 0o755);
  }
}
