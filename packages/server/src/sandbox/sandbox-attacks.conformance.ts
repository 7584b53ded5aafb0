import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Sandbox } from "./sandbox.ts";
import { bytes, text } from "./sandbox-files.conformance.ts";
import {
  type CreateHarness,
  makeSandbox,
  policy,
  type SandboxHarness,
  secret,
} from "./sandbox-harness.conformance.ts";

/** With room for one file of 10 GiB of nothing. */
const roomy = { ...policy, limits: { ...policy.limits, fileBytes: 16 * 1024 ** 3 } };

/** Attacks that every provider withstands; the numbers are those of the threat table. */
export function sandboxAttacks(name: string, create: CreateHarness): void {
  describe(`attacks on the sandbox: ${name}`, () => {
    let harness: SandboxHarness;
    let sandbox: Sandbox;
    const sh = (command: string, timeoutMs = 10_000) => sandbox.exec({ command, timeoutMs });
    beforeEach(async () => {
      harness = await create();
      sandbox = (await makeSandbox(harness, { policy: roomy })).sandbox;
    });
    afterEach(async () => {
      expect(await harness.readOutside()).toBe(secret);
      await harness.close();
    });

    pathAttacks(() => sandbox);
    linkAttacks(
      () => sandbox,
      () => harness,
    );
    specialFileAttacks(() => sandbox, sh);
    outputAttacks(() => sandbox);
    survivalAttacks(() => sandbox, sh);
  });
}

/** Every file operation with one hostile path; each must fail as a whole. */
const operations: Readonly<Record<string, (sandbox: Sandbox, path: string) => Promise<unknown>>> = {
  stat: ({ files }, path) => files.stat(path),
  list: ({ files }, path) => files.list(path),
  read: ({ files }, path) => files.read(path),
  write: ({ files }, path) => files.write(path, bytes("attack")),
  moveFrom: ({ files }, path) => files.move(path, "moved"),
  moveTo: ({ files }, path) => files.move("victim", path),
  remove: ({ files }, path) => files.remove(path),
  glob: ({ files }, path) => files.glob("**", { path }),
  grep: ({ files }, path) => files.grep(".", { path }),
};

function pathAttacks(sandbox: () => Sandbox): void {
  const hostile = {
    "../x": "../x",
    "a/../../x": "a/../../x",
    "an absolute one": "/etc/passwd",
    "two slashes": "//etc/passwd",
    "a NUL byte": "a\0b",
    "..": "..",
    "x/..": "x/..",
    "half a character": "\ud800",
    "a name too long": "n".repeat(256),
    "a path too long": "a/".repeat(2_100),
  };
  it.each(Object.entries(hostile))("SBX-03 refuses as a path: %s", async (_, path) => {
    await sandbox().files.write("victim", bytes("v"));
    for (const attempt of Object.values(operations)) {
      await expect(attempt(sandbox(), path)).rejects.toMatchObject({ code: "path_invalid" });
    }
    expect(text(await sandbox().files.read("victim"))).toBe("v");
  });

  it("SBX-03 takes names literally that only look like a way out", async () => {
    const { files } = sandbox();
    for (const name of ["%2e%2e", "..%2f", "...", "a.", "..\\x", "․․", " "]) {
      await files.write(`${name}/f`, bytes(name));
      expect(text(await files.read(`${name}/f`))).toBe(name);
    }
    expect((await files.list("")).items).toHaveLength(7);
  });
}

function linkAttacks(sandbox: () => Sandbox, harness: () => SandboxHarness): void {
  it("SBX-04 never follows a link, to a file, a folder, a loop or nothing", async () => {
    const box = sandbox();
    const { files } = box;
    const outside = harness().outsideFile ?? "/etc/hostname";
    const folder = outside.slice(0, outside.lastIndexOf("/"));
    const name = outside.slice(folder.length + 1);
    const links = `ln -s ${outside} file; ln -s ${folder} folder; ln -s loop loop; ln -s /none/such dangling`;
    await box.exec({ command: links, timeoutMs: 5_000 });
    await files.write("victim", bytes("v"));

    for (const path of ["file", "loop", "dangling"]) {
      await expect(files.read(path)).rejects.toMatchObject({ code: "path_invalid" });
      await expect(files.write(path, bytes("attack"))).rejects.toMatchObject({ code: "path_invalid" });
    }
    for (const path of [`folder/${name}`, "folder/new", `loop/${name}`]) {
      for (const attempt of Object.values(operations)) {
        await expect(attempt(sandbox(), path)).rejects.toMatchObject({
          code: "path_invalid",
        });
      }
    }
    expect(await files.stat("file")).toMatchObject({ kind: "link" });
    expect((await files.list("", { depth: 9 })).items.map((item) => item.path).toSorted()).toEqual([
      "dangling",
      "file",
      "folder",
      "loop",
      "victim",
    ]);
    expect((await files.glob("**")).items).toEqual(["victim"]);
    expect((await files.grep(".")).items).toEqual([{ path: "victim", line: 1, text: "v" }]);
    expect(await files.remove("folder")).toBe(true);
    expect(await files.remove("file")).toBe(true);
  });

  it("SBX-04 does not change a hard link's other name", async () => {
    const box = sandbox();
    const { files } = box;
    const outside = harness().outsideFile;
    const made = await box.exec({ command: `ln ${outside ?? "/etc/hostname"} hard`, timeoutMs: 5_000 });
    if (made.code !== 0) return;
    await files.write("hard", bytes("attack"));
    expect(text(await files.read("hard"))).toBe("attack");
  });
}

function specialFileAttacks(sandbox: () => Sandbox, sh: (command: string) => Promise<unknown>): void {
  it("SBX-06 refuses a FIFO and a socket without waiting for them", async () => {
    const { files } = sandbox();
    await sh(
      `mkfifo fifo; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")' || mkfifo socket`,
    );
    for (const path of ["fifo", "socket"]) {
      await expect(files.read(path)).rejects.toMatchObject({ code: "not_a_file" });
      await expect(files.write(path, bytes("x"))).rejects.toMatchObject({ code: "not_a_file" });
      expect(await files.stat(path)).toMatchObject({ kind: "other" });
    }
    expect((await files.grep(".")).items).toEqual([]);
    expect(await files.remove("fifo")).toBe(true);
  });

  it("SBX-06 refuses to read 10 GiB of nothing, and reads a part of it", async () => {
    const { files } = sandbox();
    await sh("truncate -s 10G sparse");
    await expect(files.read("sparse")).rejects.toMatchObject({ code: "file_too_large" });
    expect(await files.read("sparse", { offset: 9e9, length: 4 })).toEqual(new Uint8Array(4));
    expect((await files.grep("x")).items).toEqual([]);
    await expect(files.write("big", new Uint8Array(33 * 1024 * 1024))).rejects.toMatchObject({
      code: "file_too_large",
    });
  });

  it("SBX-06 lists a part of a very wide folder", async () => {
    await sh(`mkdir wide && cd wide && perl -e 'for (1..5000) { open(my $f, ">", $_) }'`);
    const listed = await sandbox().files.list("wide", { limit: 100 });
    expect(listed).toMatchObject({ items: { length: 100 }, truncated: true });
  });

  it("removes thousands of nested folders and folders that nobody may enter", async () => {
    await sh(`mkdir deep locked && mkdir locked/in && touch locked/in/x && chmod 000 locked/in locked`);
    // By a program: a shell keeps the path of the folder that it is in, which is too long here.
    await sh(`perl -e 'chdir "deep"; for (1..3000) { mkdir "d"; chdir "d" or die }'`);
    const { files } = sandbox();
    expect((await files.list("", { depth: Number.POSITIVE_INFINITY, limit: 9_000 })).truncated).toBe(true);
    expect(await files.remove("deep")).toBe(true);
    expect(await files.remove("locked")).toBe(true);
    expect((await files.list("")).items).toEqual([]);
  });

  it("NET-09 ends a search whose pattern would take for ever, while the server goes on", async () => {
    const { files } = sandbox();
    await files.write("bait", bytes(`${"a".repeat(40)}!`));
    let turns = 0;
    const counter = setInterval(() => turns++, 5);
    try {
      await expect(files.grep("^(a+)+$")).rejects.toMatchObject({ code: "search_timeout" });
    } finally {
      clearInterval(counter);
    }
    expect(turns).toBeGreaterThan(100);
  });
}

function outputAttacks(sandbox: () => Sandbox): void {
  // Each of the two floods may come at 8 MiB a second, and takes 8 s where nothing else is slow.
  it("SBX-12 bounds a flood of output in memory and ends it", { timeout: 90_000 }, async () => {
    const flood = { command: "yes | head -c 1G; sleep 30", timeoutMs: 30_000 };
    // The first one only lets the process grow to what any output needs.
    await sandbox().exec(flood);
    const before = process.memoryUsage().rss;
    const result = await sandbox().exec(flood);
    expect(result).toMatchObject({ reason: "output_limit", truncated: true });
    expect(result.output.length).toBeLessThan(1_048_700);
    expect(process.memoryUsage().rss - before).toBeLessThan(50 * 1024 * 1024);
  });

  it("SBX-12 bounds one endless line, and makes text of bytes that are none", async () => {
    const box = sandbox();
    const line = await box.exec({
      command: "head -c 20M /dev/zero | tr '\\0' x",
      timeoutMs: 20_000,
      maxOutputBytes: 1_000,
    });
    expect(line).toMatchObject({ outputBytes: 20 * 1024 * 1024, truncated: true });
    expect(line.output.length).toBeLessThan(1_100);
    const invalid = await box.exec({ command: String.raw`printf 'a\377\376b\033[31m'`, timeoutMs: 5_000 });
    expect(invalid.output).toBe("a\ufffd\ufffdb\u001b[31m");
  });
}

/** Ways to outlive a time limit; each starts a `sleep` with an argument of its own. */
const escapes: readonly (readonly [string, (sleep: string) => string])[] = [
  ["ignores TERM", (sleep) => `trap '' TERM INT HUP; ${sleep}`],
  ["leaves the session", (sleep) => `setsid ${sleep} & wait`],
  ["forks twice", (sleep) => `(setsid sh -c '${sleep} & exit' &) ; wait; sleep 60`],
  ["clears its environment", (sleep) => `env -i setsid ${sleep} & wait`],
  [
    "clears its environment and forks twice",
    (sleep) => `(env -i setsid sh -c '${sleep} & exit' &); sleep 60`,
  ],
  ["stops itself", (sleep) => `${sleep} & kill -STOP $! ; kill -STOP $$`],
  ["closes every stream", (sleep) => `setsid ${sleep} </dev/null >/dev/null 2>&1 3>&- & wait`],
];

function survivalAttacks(sandbox: () => Sandbox, sh: (command: string) => Promise<unknown>): void {
  const alive = async (mark: string) =>
    (await sandbox().exec({ command: `pgrep -f '[s]leep ${mark}'`, timeoutMs: 5_000 })).output;

  it.each(escapes)("SBX-13 ends a command at its time limit that %s", async (name, escape) => {
    const mark = `7${name.length}.${process.pid}`;
    const began = performance.now();
    const result = await sandbox().exec({ command: escape(`sleep ${mark}`), timeoutMs: 400 });
    expect(result.reason).toBe("timeout");
    // Not at the end of what it started.
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await alive(mark)).toBe("");
  });

  it.each(escapes.slice(1, 5))(
    "SBX-13 leaves nothing of a command that ended and %s",
    async (name, escape) => {
      const mark = `8${name.length}.${process.pid}`;
      const command = escape(`sleep ${mark}`).replace(/wait; sleep 60|sleep 60|wait$/, "sleep 0.1");
      expect(await sandbox().exec({ command, timeoutMs: 20_000 })).toMatchObject({ reason: "exit" });
      expect(await alive(mark)).toBe("");
    },
  );

  it("leaves other commands of the session alone when it ends one", async () => {
    const { id } = await sandbox().spawn({ command: "echo up; sleep 60" });
    await expect.poll(async () => (await sandbox().logs(id))?.text).toBe("up\n");
    await sandbox().exec({ command: "setsid sleep 60", timeoutMs: 200 });
    await sh("true");
    expect((await sandbox().logs(id))?.process.running).toBe(true);
  });
}
