import { execFile } from "node:child_process";
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import type { ExtractedArchive, FileList } from "@berth/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Api, useApi } from "../../support/http/api.ts";
import { type RawEntry, rawTar } from "../../support/sandbox/hostile-tar.ts";

const open = useApi();
const run = promisify(execFile);
const bytes = { "content-type": "application/octet-stream" };

let api: Api;
let folder: string;
let sessionId: string;
let archive: string;
let files: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-archive-"));
  api = await open();
  await api.agent();
  sessionId = (await api.session()).id;
  archive = `/sessions/${sessionId}/workspace/archive`;
  files = `/sessions/${sessionId}/files`;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The archive as `tar` unpacks it, in a folder of the test's own. */
async function take(query = ""): Promise<string> {
  const request = new Request(`http://berth.test/api/v1${archive}${query}`, {
    headers: { "x-api-key": "brt_test-key" },
  });
  const response = await api.appFor(api.principal)(request);
  expect(response.status).toBe(200);
  const out = await mkdtemp(join(folder, "out-"));
  await writeFile(join(folder, "taken.tar.gz"), new Uint8Array(await response.arrayBuffer()));
  await run("tar", ["-C", out, "-xzf", join(folder, "taken.tar.gz")]);
  return out;
}

const put = (data: Uint8Array, query = "") => api.put(`${archive}${query}`, data, { headers: bytes });
const send = (entries: readonly RawEntry[], query = "") => put(gzipSync(rawTar(entries)), query);
async function paths(): Promise<string[]> {
  const { items } = (await api.get(`${files}?depth=20`)).json<FileList>();
  return items.filter(({ kind }) => kind !== "directory").map(({ path }) => path);
}

describe("an archive of a workspace", () => {
  it("has its files as they are, and unpacks into the same files again", async () => {
    const large = new Uint8Array(3_000_000).map((_, at) => at % 251);
    await api.put(`${files}/a/large.bin`, large, { headers: bytes });
    await api.put(`${files}/a/%C3%BC%0A.txt`, "text", { headers: bytes });
    await api.put(`${files}/top.txt`, "top", { headers: bytes });
    const out = await take();
    expect((await readdir(out)).toSorted()).toEqual(["a", "top.txt"]);
    expect(new Uint8Array(await readFile(join(out, "a/large.bin")))).toEqual(large);
    expect(await readFile(join(out, "a/ü\n.txt"), "utf8")).toBe("text");
    expect((await readdir(await take("?path=a"))).toSorted()).toEqual(["large.bin", "ü\n.txt"]);

    const made = await put(new Uint8Array(await readFile(join(folder, "taken.tar.gz"))), "?path=copy/of");
    expect(made.json<ExtractedArchive>()).toEqual({ files: 2, bytes: 3_000_004, skipped: 0 });
    expect(await paths()).toEqual([
      "a/large.bin",
      "a/ü\n.txt",
      "copy/of/large.bin",
      "copy/of/ü\n.txt",
      "top.txt",
    ]);
    const log = await api.harness.log(sessionId);
    expect(log.filter(({ type }) => type === "file.changed")).toHaveLength(5);
  });

  it("keeps links, empty folders and what may be run, there and back again", async () => {
    const place = { orgId: api.harness.orgId, sessionId };
    const sandbox = await api.operations.sandboxes.connect(place);
    const long = "n".repeat(150);
    const made = `printf '#!/bin/sh\\necho ran' > run.sh; chmod 750 run.sh; echo x > plain; mkdir -p empty/inner; ln -s run.sh link; ln -s ../../nowhere/${long} empty/out; ln -s link ${long}`;
    expect((await sandbox.exec({ command: made, timeoutMs: 5_000 })).code).toBe(0);
    const look = (where: string) =>
      `cd ${where} && ./link && test ! -x plain && test -d empty/inner && readlink empty/out ${long}`;
    const expected = `ran\n../../nowhere/${long}\nlink\n`;
    const out = await take();
    expect((await run("sh", ["-c", look(out)])).stdout).toBe(expected);
    const sent = await put(new Uint8Array(await readFile(join(folder, "taken.tar.gz"))), "?path=copy");
    expect(sent.json<ExtractedArchive>()).toMatchObject({ files: 2, skipped: 0 });
    const again = await sandbox.exec({ command: look("copy"), timeoutMs: 5_000 });
    expect(again.output).toBe(expected);
    // What GNU tar makes of the same.
    await run("tar", ["-C", out, "-czf", join(folder, "gnu.tar.gz"), "."]);
    const gnu = await put(new Uint8Array(await readFile(join(folder, "gnu.tar.gz"))), "?path=gnu");
    expect(gnu.json<ExtractedArchive>()).toMatchObject({ files: 2, skipped: 0 });
    expect((await sandbox.exec({ command: look("gnu"), timeoutMs: 5_000 })).output).toBe(expected);
  });

  it("is empty while there is no workspace, and says what is missing", async () => {
    expect(await readdir(await take())).toEqual([]);
    expect((await api.get(`${archive}?path=none`)).problem().code).toBe("file_not_found");
    await api.put(`${files}/file`, "x", { headers: bytes });
    expect((await api.get(`${archive}?path=none`)).problem().code).toBe("file_not_found");
    expect((await api.get(`${archive}?path=file`)).problem().code).toBe("not_a_directory");
    for (const path of ["..", "/etc", "a/../..", "a%00b"])
      expect((await api.get(`${archive}?path=${path}`)).problem().code).toBe("path_invalid");
  });

  it("SBX-04 SBX-06 has nothing of what links lead to, and does not wait for a pipe", async () => {
    await writeFile(join(folder, "secret"), "the outside's own text");
    const place = { orgId: api.harness.orgId, sessionId };
    const sandbox = await api.operations.sandboxes.connect(place);
    const command = `ln -s ${folder} way; ln -s ${folder}/secret file; mkfifo pipe; mkdir d; echo x > d/f; truncate -s 1G d/sparse; rm d/sparse; ln d/f hard`;
    expect((await sandbox.exec({ command, timeoutMs: 5_000 })).code).toBe(0);
    const out = await take();
    // Links are there as links: what they say is the sandbox's own, and what they lead to is not in the archive.
    expect((await readdir(out)).toSorted()).toEqual(["d", "file", "hard", "way"]);
    expect(await readlink(join(out, "file"))).toBe(`${folder}/secret`);
    expect((await lstat(join(out, "way"))).isSymbolicLink()).toBe(true);
    await rm(join(folder, "secret"));
    await expect(readFile(join(out, "file"))).rejects.toMatchObject({ code: "ENOENT" });
    expect((await api.get(`${archive}?path=way`)).problem().code).toBe("path_invalid");
  });
});

describe("SBX-07 an archive that is sent", { timeout: 120_000 }, () => {
  const refused: Readonly<Record<string, readonly RawEntry[]>> = {
    "leads up": [{ name: "../escaped", data: "x" }],
    "leads up from below": [{ name: "a/../../escaped", data: "x" }],
    "begins at the root": [{ name: "/tmp/escaped", data: "x" }],
    "begins at the root twice": [{ name: "//tmp/escaped", data: "x" }],
    "leads up by GNU's long name": [
      { name: "long", type: "L", data: "../escaped\0" },
      { name: "a", data: "x" },
    ],
    "leads up by an attribute": [
      { name: "x", type: "x", data: "19 path=../escaped\n" },
      { name: "a", data: "x" },
    ],
    "leads up with a folder": [{ name: "../escaped/", type: "5" }],
    "leads up with a link": [{ name: "../escaped", type: "2", link: "/etc" }],
    // Each folder of each is one to make: 2,000 such were millions.
    "is deeper than any list": [
      { name: "x", type: "x", data: `267 path=${"d/".repeat(128)}f\n` },
      { name: "a", data: "x" },
    ],
    "has a name of nothing": [{ name: ".", data: "x" }],
  };
  it.each(Object.entries(refused))("is refused as a whole when it %s", async (_, entries) => {
    const answer = await send([{ name: "harmless", data: "x" }, ...entries]);
    expect(answer.problem()).toMatchObject({ status: 422, code: "path_invalid" });
    expect(await paths()).toEqual([]);
  });

  it("is refused when it does not fit below the folder that was named", async () => {
    for (const folderName of ["..", "/tmp", "a/../.."]) {
      const answer = await send([{ name: "f", data: "x" }], `?path=${folderName}`);
      expect(answer.problem().code).toBe("path_invalid");
    }
    expect((await put(Buffer.from("no archive at all".repeat(100)))).problem()).toMatchObject({
      status: 422,
      code: "archive_invalid",
    });
  });

  it("makes no devices, and writes through no link: not its own, not one that is there, in no order", async () => {
    const target = join(folder, "outside");
    await mkdir(target);
    await writeFile(join(target, "kept"), "kept");
    const answer = await send([
      { name: "way", type: "2", link: target },
      { name: "way/kept", data: "attack" },
      { name: "hard", type: "1", link: join(target, "kept") },
      { name: "hard", data: "attack" },
      { name: "pipe", type: "6" },
      { name: "device", type: "3" },
      { name: "disk", type: "4" },
    ]);
    expect(answer.json<ExtractedArchive>()).toEqual({ files: 2, bytes: 12, skipped: 5 });
    expect(await paths()).toEqual(["hard", "way/kept"]);
    expect(await readFile(join(target, "kept"), "utf8")).toBe("kept");
    expect(await readdir(target)).toEqual(["kept"]);

    // Links to the outside are made, as what they are; a second archive does not get through them.
    const links = await send([
      { name: "out", type: "2", link: target },
      { name: "dangling", type: "2", link: "../../nowhere" },
      { name: "out/new", type: "2", link: "/etc/passwd" },
      { name: "out/dir", type: "5" },
      { name: "kept", type: "2", link: join(target, "kept") },
    ]);
    // Made before the links are: a folder is in the place of the first.
    expect(links.json<ExtractedArchive>()).toEqual({ files: 0, bytes: 0, skipped: 1 });
    await send([{ name: "trap", type: "2", link: target }]);
    expect((await send([{ name: "trap/new", data: "attack" }])).problem().code).toBe("path_invalid");
    const through: readonly RawEntry[] = [
      { name: "trap/new", type: "2", link: "/etc/passwd" },
      { name: "trap/dir", type: "5" },
      { name: "trap", type: "5" },
    ];
    for (const entry of through) {
      const sent = await send([entry]);
      expect(sent.json<ExtractedArchive>()).toEqual({ files: 0, bytes: 0, skipped: 1 });
    }
    expect(await readdir(target)).toEqual(["kept"]);
    expect(await readFile(join(target, "kept"), "utf8")).toBe("kept");
    for (const link of ["", "x".repeat(5_000)])
      await send([
        { name: "bad", type: "2", link: link.slice(0, 100) },
        { name: "good", data: "x" },
      ]);
    const bomb = Array.from({ length: 2_001 }, (_, at) => ({ name: `l${at}`, type: "2", link: "x" }));
    expect((await send(bomb)).problem().code).toBe("archive_too_large");
  });

  it("writes through no link of the workspace", async () => {
    const target = join(folder, "outside");
    await mkdir(target);
    const place = { orgId: api.harness.orgId, sessionId };
    await (
      await api.operations.sandboxes.connect(place)
    ).exec({
      command: `ln -s ${target} way; ln -s ${target}/new file`,
      timeoutMs: 5_000,
    });
    for (const name of ["way/new", "file"]) {
      const answer = await send([{ name, data: "attack" }]);
      expect(answer.problem().code).toBe("path_invalid");
    }
    expect(await readdir(target)).toEqual([]);
    // The same archive, unpacked without care, gets out: the attack is one.
    await mkdir(join(folder, "naive"));
    await symlink(target, join(folder, "naive", "way"));
    await writeFile(join(folder, "naive", "way", "new"), "attack");
    expect(await readdir(target)).toEqual(["new"]);
  });

  it("has one file of each name, the last", async () => {
    const answer = await send([
      { name: "twice", data: "first" },
      { name: "./twice", data: "second" },
      { name: "a//twice", data: "other" },
    ]);
    expect(answer.json<ExtractedArchive>()).toEqual({ files: 2, bytes: 11, skipped: 0 });
    expect((await api.get(`${files}/twice`)).text).toBe("second");
  });

  it("SBX-10 is bounded in bytes and files, packed 10,000 times smaller or not", async () => {
    const zeros = new Uint8Array(64 * 1024 * 1024);
    const bomb = gzipSync(rawTar(Array.from({ length: 5 }, (_, at) => ({ name: `f${at}`, data: zeros }))), {
      level: 9,
    });
    expect(bomb.length).toBeLessThan(400_000);
    expect((await put(bomb)).problem()).toMatchObject({ status: 413, code: "archive_too_large" });
    const thirty = new Uint8Array(30 * 1024 * 1024);
    const many = gzipSync(rawTar(Array.from({ length: 9 }, (_, at) => ({ name: `f${at}`, data: thirty }))));
    expect((await put(many)).problem()).toMatchObject({ status: 413, code: "archive_too_large" });
    const files501 = Array.from({ length: 501 }, (_, at) => ({ name: `f${at}` }));
    expect((await send(files501)).problem()).toMatchObject({ status: 413, code: "archive_too_large" });
    expect(await paths()).toEqual([]);
    const after = await api.harness.log(sessionId);
    expect(after.filter(({ type }) => type === "file.changed")).toEqual([]);
  });

  it("SBX-03 takes names literally that only look like a way out", async () => {
    const odd = ["%2e%2e", "..%2f", "...", "a.", String.raw`..\x`, "-rf", "new\nline"];
    const answer = await send(odd.map((name) => ({ name: `${name}/f`, data: name })));
    expect(answer.json<ExtractedArchive>().files).toBe(odd.length);
    expect((await paths()).toSorted()).toEqual(odd.map((name) => `${name}/f`).toSorted());
  });
});

it("SBX-24 runs and loads nothing of what a workspace brings", async () => {
  const ran = join(folder, "ran");
  const hook = `#!/bin/sh\necho $0 >> ${ran}\n`;
  const scripts = { preinstall: `sh -c 'echo npm >> ${ran}'` };
  const answer = await send([
    { name: ".git/HEAD", data: "ref: refs/heads/main\n" },
    { name: ".git/config", data: `[core]\n\trepositoryformatversion = 0\n\tfsmonitor = sh hook\n` },
    { name: ".git/hooks/post-checkout", data: hook },
    { name: "hook", data: hook },
    { name: ".bashrc", data: `echo bash >> ${ran}\n` },
    { name: ".npmrc", data: `script-shell=${join(folder, "hook")}\n` },
    { name: "package.json", data: JSON.stringify({ name: "x", scripts }) },
    { name: ".env", data: `NODE_OPTIONS=--require=./hook.cjs\n` },
    { name: "hook.cjs", data: `require("node:fs").appendFileSync(${JSON.stringify(ran)}, "node")` },
    { name: ".mcp.json", data: JSON.stringify({ mcpServers: { x: { command: "sh", args: ["hook"] } } }) },
    { name: "SKILL.md", data: "---\nname: x\n---\n!`sh hook`" },
  ]);
  expect(answer.json<ExtractedArchive>().files).toBe(11);
  const out = await take();
  await api.get(`/sessions/${sessionId}/search/files?pattern=**`);
  await api.get(`/sessions/${sessionId}/search/text?pattern=hook`);
  await api.post(`${files}/move`, { path: "hook.cjs", to: "moved.cjs" });
  await expect(readFile(ran)).rejects.toMatchObject({ code: "ENOENT" });
  // A server that loads a workspace's settings runs what is in it.
  await run(process.execPath, ["--env-file=.env", "--require=./hook.cjs", "-e", "0"], { cwd: out });
  expect(await readFile(ran, "utf8")).toBe("node");
});
