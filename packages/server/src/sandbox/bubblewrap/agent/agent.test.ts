import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { useBareBubblewrap } from "../../../../test/support/sandbox/use-bare-bubblewrap.ts";

const { box, sandbox, sh, others } = useBareBubblewrap();

describe("commands", () => {
  it("run in a folder with their environment and input, and tell how they ended", async () => {
    await mkdir(join(box().workspace, "sub"));
    expect(
      await sh("pwd; echo $A; cat; exit 3", {
        cwd: "sub",
        environment: { A: "é" },
        stdin: Buffer.from("in"),
      }),
    ).toMatchObject({
      code: 3,
      signal: null,
      reason: "exit",
      output: "/workspace/sub\né\nin",
    });
    expect(await sh("kill -TERM $$")).toMatchObject({ code: null, signal: "SIGTERM" });
    expect((await sh("pwd; cd ..; pwd", {})).output).toBe("/workspace\n/\n");
    expect((await box().client.inFolder("sub").exec({ command: "pwd", timeoutMs: 5_000 })).output).toBe(
      "/workspace/sub\n",
    );
  });

  it("give both streams in order, also to who opens them by name", async () => {
    const { output } = await sh(
      "echo 1; echo 2 >&2; echo 3 > /dev/stdout; echo 4 > /dev/stderr; ls -l /proc/self/fd/1",
    );
    expect(output).toMatch(/^1\n2\n3\n4\n.*pipe:|^1\n2\n3\n4\n.*\/tmp\/\.berth/);
    const large = await sh("cat", { stdin: Buffer.alloc(3_000_000, "x"), maxOutputBytes: 4_000_000 });
    expect(large).toMatchObject({ outputBytes: 3_000_000, code: 0 });
  });

  it("do not begin in a folder that is missing, is none, or leads out", async () => {
    await writeFile(join(box().workspace, "file"), "");
    await symlink("/etc", join(box().workspace, "out"));
    await symlink("loop", join(box().workspace, "loop"));
    for (const [cwd, code] of [
      ["none", "file_not_found"],
      ["file", "not_a_directory"],
      ["file/x", "not_a_directory"],
      ["out", "path_invalid"],
      ["loop", "path_invalid"],
    ] as const) {
      await expect(sh("true", { cwd })).rejects.toMatchObject({ code });
    }
  });

  it("see nothing of the agent's environment and are what memory is taken from first", async () => {
    const { output } = await sh("env; tr '\\0' '\\n' < /proc/$PPID/environ; cat /proc/self/oom_score_adj");
    const lines = output.trim().split("\n");
    expect(lines.pop()).toBe("1000");
    expect(new Set(lines.map((line) => line.split("=")[0]))).toEqual(
      new Set(["PATH", "HOME", "LANG", "BERTH_EXEC", "PWD", "SHLVL", "_"]),
    );
  });

  it("still work when a command has removed its pipes or put something else there", async () => {
    await sh("rm -rf /tmp/.berth-*");
    expect((await sh("echo ok")).output).toBe("ok\n");
    await sh("for pipe in /tmp/.berth-*/*; do rm $pipe; echo fake > $pipe; done");
    expect((await sh("echo ok")).output).toBe("ok\n");
  });

  it("run side by side, and one that floods starves no other", async () => {
    const flood = await Promise.all([1, 2, 3].map(() => sandbox().spawn({ command: "yes" })));
    await expect
      .poll(async () => (await sandbox().logs(flood[0]?.id ?? ""))?.nextOffset)
      .toBeGreaterThan(1e6);
    const took: number[] = [];
    for (let turn = 0; turn < 30; turn++) {
      const began = performance.now();
      expect((await sh("echo ok")).output).toBe("ok\n");
      took.push(performance.now() - began);
    }
    await expect.poll(async () => (await sandbox().health()).ok).toBe(true);
    expect(took.toSorted((a, b) => a - b)[15]).toBeLessThan(250);
    await Promise.all(flood.map(({ id }) => sandbox().kill(id)));
    expect(await others()).toEqual([]);
  });
});

describe("SBX-12 output", () => {
  it("SBX-12 of any size is bounded, counted and ended, and takes little memory of the host", async () => {
    const before = process.memoryUsage().rss;
    const result = await sh("yes | head -c 1G; sleep 30", { timeoutMs: 25_000 });
    expect(result).toMatchObject({ reason: "output_limit", truncated: true });
    expect(result.outputBytes).toBeLessThan(66 * 1024 * 1024);
    const line = await sh("head -c 20M /dev/zero | tr '\\0' x", { maxOutputBytes: 1_000 });
    expect(line).toMatchObject({ outputBytes: 20 * 1024 * 1024, code: 0 });
    expect(process.memoryUsage().rss - before).toBeLessThan(50 * 1024 * 1024);
    // 84 MiB come at the pace of one sandbox, 8 MiB a second.
  }, 30_000);

  it("SBX-12 comes whole: a million lines, bytes that are no text, and what was written right before the end", async () => {
    const lines = await sh("seq 1 1000000", { maxOutputBytes: 16 * 1024 * 1024 });
    expect(lines).toMatchObject({ outputBytes: 6_888_896, truncated: false });
    expect(lines.output.endsWith("\n999999\n1000000\n")).toBe(true);
    expect((await sh(String.raw`printf 'a\377\376b\033[31m'`)).output).toBe("a\ufffd\ufffdb\u001b[31m");
    const ends = await Promise.all([...Array(5)].map(() => sh("head -c 200000 /dev/zero; kill -9 $$")));
    expect(ends.map(({ outputBytes }) => outputBytes)).toEqual(Array(5).fill(200_000));
  });
});
