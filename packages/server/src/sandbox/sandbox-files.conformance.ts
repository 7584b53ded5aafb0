import { beforeEach, expect, it } from "vitest";
import type { Sandbox } from "./sandbox.ts";

export const bytes = (text: string) => new TextEncoder().encode(text);
export const text = (data: Uint8Array) => new TextDecoder().decode(data);

/** What the files of a sandbox must do. */
export function fileTests(sandbox: () => Sandbox): void {
  it("writes a file with its folders, reads it, a part of it, and replaces it", async () => {
    const { files } = sandbox();
    await files.write("a/b/c.txt", bytes("hello"));
    expect(text(await files.read("a/b/c.txt"))).toBe("hello");
    expect(text(await files.read("./a//b/c.txt", { offset: 1, length: 3 }))).toBe("ell");
    expect(text(await files.read("a/b/c.txt", { offset: 9 }))).toBe("");
    await files.write("a/b/c.txt", bytes("changed"));
    expect(text(await files.read("a/b/c.txt"))).toBe("changed");
    expect(await files.stat("a/b/c.txt")).toMatchObject({ kind: "file", size: 7 });
  });

  it("tells what is missing, what is a folder and what is none", async () => {
    const { files } = sandbox();
    await files.write("folder/file", bytes("x"));
    expect(await files.stat("none/file")).toBeNull();
    expect(await files.stat("")).toMatchObject({ kind: "directory" });
    await expect(files.read("none")).rejects.toMatchObject({ code: "file_not_found" });
    await expect(files.read("folder")).rejects.toMatchObject({ code: "not_a_file" });
    await expect(files.write("folder", bytes("x"))).rejects.toMatchObject({ code: "not_a_file" });
    await expect(files.read("folder/file/x")).rejects.toMatchObject({ code: "not_a_directory" });
    await expect(files.write("folder/file/x", bytes(""))).rejects.toMatchObject({ code: "not_a_directory" });
    await expect(files.list("folder/file")).rejects.toMatchObject({ code: "not_a_directory" });
    await expect(files.list("none")).rejects.toMatchObject({ code: "file_not_found" });
  });

  it("lists to a depth, in order, up to a limit", async () => {
    const { files } = sandbox();
    for (const path of ["b", "a/two", "a/one"]) await files.write(path, bytes(path));
    const paths = async (options: object) => (await files.list("", options)).items.map((item) => item.path);
    expect(await paths({})).toEqual(["a", "b"]);
    expect(await paths({ depth: 2 })).toEqual(["a", "a/one", "a/two", "b"]);
    expect((await files.list("a")).items.map((item) => item.path)).toEqual(["a/one", "a/two"]);
    expect(await files.list("", { depth: 9, limit: 2 })).toMatchObject({
      items: { length: 2 },
      truncated: true,
    });
    expect(await files.list("", { depth: 9, limit: 4 })).toMatchObject({
      items: { length: 4 },
      truncated: false,
    });
  });

  it("tells a tree with links as they are, empty folders and what may be run, and makes the same again", async () => {
    const { files, exec } = { files: sandbox().files, exec: sandbox().exec.bind(sandbox()) };
    const made =
      "mkdir -p a/empty; echo 1 > a/run; chmod 700 a/run; echo 2 > plain; ln -s ../../etc/passwd a/out; ln -s a in; mkfifo pipe";
    expect((await exec({ command: made, timeoutMs: 10_000 })).code).toBe(0);
    const { items, truncated } = await files.tree("");
    expect(truncated).toBe(false);
    const seen = items.map(({ path, kind, executable, target }) => ({ path, kind, executable, target }));
    const plain = { executable: false, target: null };
    expect(seen).toEqual([
      { ...plain, path: "a", kind: "directory" },
      { ...plain, path: "a/empty", kind: "directory" },
      { ...plain, path: "a/out", kind: "link", target: "../../etc/passwd" },
      { ...plain, path: "a/run", kind: "file", executable: true },
      { ...plain, path: "in", kind: "link", target: "a" },
      { ...plain, path: "pipe", kind: "other" },
      { ...plain, path: "plain", kind: "file" },
    ]);
    expect(await files.tree("", { limit: 3 })).toMatchObject({ items: { length: 3 }, truncated: true });
    await files.makeFolder("b/empty");
    await files.makeFolder("b/empty");
    await files.write("b/run", bytes("1\n"));
    await files.setExecutable("b/run", true);
    await files.makeLink("b/out", "nowhere");
    await files.makeLink("b/out", "../../etc/passwd");
    const shape = (
      all: readonly { path: string; kind: string; executable: boolean; target: string | null }[],
    ) => all.map(({ path, kind, executable, target }) => [path.slice(1), kind, executable, target]);
    expect(shape((await files.tree("b")).items)).toEqual(shape((await files.tree("a")).items));
    const look =
      "test -x b/run && test ! -x plain && readlink b/out && stat -c %u b/run b/empty a/run | uniq | wc -l";
    expect((await exec({ command: look, timeoutMs: 10_000 })).output).toBe("../../etc/passwd\n1\n");
    await files.setExecutable("b/run", false);
    expect((await files.tree("b")).items.some(({ executable }) => executable)).toBe(false);
  });

  it("SBX-06 makes nothing through a link, and changes nothing that one leads to", async () => {
    const { files, exec } = { files: sandbox().files, exec: sandbox().exec.bind(sandbox()) };
    const made =
      "mkdir real; echo x > real/file; ln -s real way; ln -s real/file link; ln -s /tmp out; mkfifo pipe";
    expect((await exec({ command: made, timeoutMs: 10_000 })).code).toBe(0);
    for (const way of ["way", "out"]) {
      await expect(files.makeFolder(`${way}/new`)).rejects.toMatchObject({ code: "path_invalid" });
      await expect(files.makeLink(`${way}/new`, "x")).rejects.toMatchObject({ code: "path_invalid" });
      await expect(files.setExecutable(`${way}/file`, true)).rejects.toMatchObject({ code: "path_invalid" });
      await expect(files.tree(way)).rejects.toMatchObject({ code: "path_invalid" });
    }
    await expect(files.makeFolder("way")).rejects.toMatchObject({ code: "path_invalid" });
    await expect(files.setExecutable("link", true)).rejects.toMatchObject({ code: "path_invalid" });
    await expect(files.setExecutable("real", false)).rejects.toMatchObject({ code: "not_a_file" });
    await expect(files.setExecutable("pipe", true)).rejects.toMatchObject({ code: "not_a_file" });
    await expect(files.makeLink("real", "x")).rejects.toMatchObject({ code: "file_exists" });
    await expect(files.makeLink("../escaped", "x")).rejects.toMatchObject({ code: "path_invalid" });
    for (const target of ["", "a\0b", "x".repeat(4_096)])
      await expect(files.makeLink("bad", target)).rejects.toMatchObject({ code: "path_invalid" });
    const { output } = await exec({
      command: "ls real; test ! -x real/file && ls -d bad new",
      timeoutMs: 10_000,
    });
    expect(output.startsWith("file\n")).toBe(true);
    expect(output).toContain("bad");
    expect((await files.tree("real")).items).toMatchObject([{ path: "real/file", executable: false }]);
  });

  it("moves a file and a folder, and replaces a file", async () => {
    const { files } = sandbox();
    await files.write("a/one", bytes("1"));
    await files.write("two", bytes("2"));
    await files.move("a/one", "two");
    expect(text(await files.read("two"))).toBe("1");
    await files.move("a", "new/folder");
    expect(await files.stat("new/folder")).toMatchObject({ kind: "directory" });
    await expect(files.move("none", "x")).rejects.toMatchObject({ code: "file_not_found" });
    await expect(files.move("new", "new/inside")).rejects.toMatchObject({ code: "path_invalid" });
  });

  it("removes a file and a whole folder, and says when there was none", async () => {
    const { files } = sandbox();
    await files.write("a/b/c", bytes("x"));
    await files.write("d", bytes("x"));
    expect(await files.remove("a")).toBe(true);
    expect(await files.remove("d")).toBe(true);
    expect(await files.remove("a")).toBe(false);
    expect(await files.remove("no/such/folder")).toBe(false);
    expect((await files.list("")).items).toEqual([]);
  });

  it("keeps a file executable when it is written anew", async () => {
    const box = sandbox();
    const { files } = box;
    await files.write("run", bytes("#!/bin/sh\necho one\n"));
    await box.exec({ command: "chmod +x run", timeoutMs: 5_000 });
    await files.write("run", bytes("#!/bin/sh\necho two\n"));
    expect(await box.exec({ command: "./run", timeoutMs: 5_000 })).toMatchObject({ output: "two\n" });
  });
}

/** What the searches of a sandbox must find. */
export function searchTests(sandbox: () => Sandbox): void {
  beforeEach(async () => {
    const { files } = sandbox();
    await files.write("src/a.ts", bytes("const needle = 1;\nnothing\nNEEDLE\n"));
    await files.write("src/deep/b.js", bytes("a needle\n"));
    await files.write(".git/needle.ts", bytes("needle"));
    await files.write("binary", new Uint8Array([110, 101, 101, 100, 108, 101, 0]));
  });

  it("finds files by a pattern, without what version control keeps", async () => {
    const { files } = sandbox();
    expect(await files.glob("**/*.ts")).toEqual({ items: ["src/a.ts"], truncated: false });
    expect((await files.glob("*.js", { path: "src/deep" })).items).toEqual(["src/deep/b.js"]);
    expect((await files.glob(".git/**")).items).toEqual([".git/needle.ts"]);
    expect(await files.glob("**", { limit: 1 })).toMatchObject({ items: { length: 1 }, truncated: true });
    await expect(files.glob("*", { path: "none" })).rejects.toMatchObject({ code: "file_not_found" });
  });

  it("finds lines by a regular expression", async () => {
    const { files } = sandbox();
    expect((await files.grep("needle")).items).toEqual([
      { path: "src/a.ts", line: 1, text: "const needle = 1;" },
      { path: "src/deep/b.js", line: 1, text: "a needle" },
    ]);
    expect((await files.grep("^needle$", { ignoreCase: true })).items).toMatchObject([
      { path: "src/a.ts", line: 3 },
    ]);
    expect((await files.grep("needle", { glob: "*.js" })).items).toMatchObject([{ path: "src/deep/b.js" }]);
    expect(await files.grep("needle", { limit: 1 })).toMatchObject({ items: { length: 1 }, truncated: true });
    await expect(files.grep("(")).rejects.toMatchObject({ code: "pattern_invalid" });
  });
}
