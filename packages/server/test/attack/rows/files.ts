import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Finding, Row } from "../row.ts";
import type { RemoteFiles, Runner } from "../target.ts";

type Place = Runner & { readonly files: RemoteFiles };

const secret = "sentinel of the host";

/** Runs with a file outside of every workspace, which has to be what it was afterwards. */
async function withSentinel(
  outside: string,
  attempt: (path: string) => Promise<string[]>,
): Promise<{ leaks: string[]; path: string }> {
  const folder = join(outside, "sentinel");
  const path = join(folder, "file");
  await mkdir(folder, { recursive: true });
  await writeFile(path, secret);
  try {
    const leaks = await attempt(path);
    const after = await readFile(path, "utf8").catch(() => "(gone)");
    if (after !== secret) leaks.push(`the file outside is now ${after.slice(0, 40)}`);
    return { leaks, path };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * What reaches the sentinel through one path: by its content, or by an answer where there may be none. Changes are tried with paths that
 * lead to the sentinel and to nothing else: where they are let through, no more than that file is lost.
 */
async function reachedBy(files: RemoteFiles, path: string): Promise<string[]> {
  const leaks: string[] = [];
  const looks = { read: () => files.read(path), grep: () => files.grep(".", path) };
  const changes = {
    write: () => files.write(path, "overwritten"),
    move: () => files.move(path, "moved"),
    remove: () => files.remove(path),
  };
  const leadsToFile = /(?:sentinel\/file|^file|^hard|^loop)$/.test(path);
  const attempts: Readonly<Record<string, () => Promise<unknown>>> = leadsToFile
    ? { ...looks, ...changes }
    : looks;
  for (const [name, attempt] of Object.entries(attempts)) {
    const answer = await attempt().then(
      (value) => JSON.stringify(value ?? "done"),
      (error: unknown) => refusal(error, name, path, leaks),
    );
    if (answer.includes(secret)) leaks.push(`${name} of ${path.slice(0, 60)} gave the file outside`);
  }
  return leaks;
}

/** A refusal is good when it is one: a server that breaks answers 5xx. */
function refusal(error: unknown, name: string, path: string, leaks: string[]): string {
  const message = error instanceof Error ? error.message : String(error);
  if (/\b5\d\d\b/.test(message)) leaks.push(`${name} of ${path.slice(0, 60)} broke the server: ${message}`);
  return message.includes(secret) ? message : "";
}

async function climb(place: Place, outside: string): Promise<Finding> {
  let tried = 0;
  const { leaks } = await withSentinel(outside, async (sentinel) => {
    const up = "../".repeat(40);
    const paths = [
      `${up}${sentinel.slice(1)}`,
      sentinel,
      `/${sentinel}`,
      `a/${up}${sentinel.slice(1)}`,
      `..%2f${sentinel}`,
      `%2e%2e/${sentinel}`,
      `${sentinel}\0.txt`,
      `．．/${sentinel}`,
      `${"a/".repeat(2_100)}x`,
      "..",
      "../",
      `./${up}${sentinel.slice(1)}.`,
    ];
    tried = paths.length;
    const found: string[] = [];
    for (const path of paths) found.push(...(await reachedBy(place.files, path)));
    return found;
  });
  return { leaks, seen: `${tried} paths, read, searched and changed: all refused` };
}

async function followLinks(place: Place, outside: string): Promise<Finding> {
  const { leaks } = await withSentinel(outside, async (sentinel) => {
    const folder = sentinel.slice(0, sentinel.lastIndexOf("/"));
    await place.run(
      `ln -s '${sentinel}' file; ln -s '${folder}' folder; ln -s loop loop; ln -s /proc/1/environ proc; ln '${sentinel}' hard; true`,
    );
    const found: string[] = [];
    for (const path of ["file", "folder/file", "hard", "loop"])
      found.push(...(await reachedBy(place.files, path)));
    const listed = await place.files.glob("**", "folder").catch(() => []);
    if (listed.some((path) => path.endsWith("file"))) found.push("glob looked into the folder outside");
    return found;
  });
  return { leaks, seen: "links to a file, a folder, a loop and a hard link, none followed" };
}

const special = `
mkfifo pipe; truncate -s 400M sparse
/usr/bin/python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.bind("socket")'
/usr/bin/python3 -c 'import os
os.mkdir("wide")
for i in range(20000): os.close(os.open(f"wide/f{i}", os.O_CREAT | os.O_WRONLY))'`;

async function specialFiles(place: Place): Promise<Finding> {
  await place.run(special, { timeoutMs: 30_000 });
  const leaks: string[] = [];
  let slowest = 0;
  const inTime = async (what: string, call: () => Promise<unknown>) => {
    const began = performance.now();
    const late = Symbol("late");
    const timeout = new Promise((resolve) => setTimeout(resolve, 4_000, late).unref());
    const answer = await Promise.race([call().catch(String), timeout]);
    slowest = Math.max(slowest, performance.now() - began);
    if (answer === late) leaks.push(`${what} did not answer in 4 s`);
    else if (/\b5\d\d\b/.test(String(answer).slice(0, 300))) leaks.push(`${what} broke the server`);
  };
  await inTime("read of a pipe", () => place.files.read("pipe"));
  await inTime("read of a socket", () => place.files.read("socket"));
  await inTime("read of a sparse file", () => place.files.read("sparse").then((text) => text.length));
  await inTime("list of 20,000 files", () => place.files.list("wide").then((items) => items.length));
  return {
    leaks,
    seen: `pipe, socket, sparse file, 20,000 files: the slowest took ${Math.round(slowest)} ms`,
  };
}

const baits = `
mkdir -p .git/hooks .config node_modules/.bin
bait="touch $PWD/BAIT-WAS-RUN"
git init -q . 2>/dev/null; git config core.fsmonitor "$bait" 2>/dev/null
for hook in pre-commit post-checkout post-commit; do printf '#!/bin/sh\\n%s\\n' "$bait" >.git/hooks/$hook; chmod +x .git/hooks/$hook; done
echo "node-options=--require=$PWD/bait.js" >.npmrc
echo "require('fs').writeFileSync('$PWD/BAIT-WAS-RUN','')" >bait.js
echo '{"scripts":{"preinstall":"touch BAIT-WAS-RUN"},"main":"bait.js"}' >package.json
echo 'BERTH_ADMIN_KEY=bait' >.env
echo '{"mcpServers":{"bait":{"command":"touch","args":["BAIT-WAS-RUN"]}}}' >.mcp.json
echo "$bait" >.bashrc; echo "$bait" >.profile; rm -f BAIT-WAS-RUN`;

/** The server does all that it does with a workspace; nothing in there may run or be loaded. */
async function persist(place: Place, use: () => Promise<unknown>): Promise<Finding> {
  const laid = await place.run(baits);
  await use();
  const names = await place.files.list("");
  const leaks = names.some((name) => name.endsWith("BAIT-WAS-RUN"))
    ? ["a file of the workspace was executed"]
    : [];
  if (laid.code !== 0) leaks.push(`the baits were not laid: ${laid.output.slice(0, 200)}`);
  return { leaks, seen: "hooks, .npmrc, package scripts, .env, .mcp.json, profiles: none ran" };
}

export const fileRows: readonly Row[] = [
  {
    id: "SBX-03",
    name: "Paths that climb",
    run: async (target) => climb(await target.tenant(), target.outside),
    naive: (host) => climb(host, host.outside),
  },
  {
    id: "SBX-04",
    name: "Links that lead out",
    run: async (target) => followLinks(await target.tenant(), target.outside),
    naive: (host) => followLinks(host, host.outside),
  },
  {
    id: "SBX-06",
    name: "Devices, pipes, sparse files",
    run: async (target) => specialFiles(await target.tenant()),
    naive: specialFiles,
  },
  {
    id: "SBX-24",
    name: "Files that the server would execute",
    run: async (target) => {
      const tenant = await target.tenant();
      return persist(tenant, async () => {
        for (const path of ["package.json", ".env", ".mcp.json"]) await tenant.files.read(path);
        await tenant.files.glob("**", "");
        await tenant.files.grep("bait", "");
        await tenant.files.move(".profile", ".bash_profile");
      });
    },
    // A server that asks git for the state of the workspace.
    naive: (host) => persist(host, () => host.run("git status")),
  },
];
