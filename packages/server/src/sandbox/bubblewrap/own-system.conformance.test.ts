import { execFileSync } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type BubblewrapRig, makeBubblewrap } from "../../../test/support/sandbox/bubblewrap-rig.ts";
import { makeSandbox } from "../sandbox-harness.conformance.ts";

const programs = ["bash", "cat", "id", "ls", "mkdir", "mkfifo", "script", "stty"];

/** The smallest system in which an agent runs: shared libraries of Node, a shell and a few programs of this machine. */
async function makeSystem(root: string): Promise<void> {
  const files = new Set<string>();
  for (const program of [...programs.map((name) => `/usr/bin/${name}`), process.execPath]) {
    const libraries = execFileSync("/usr/bin/ldd", [await realpath(program)], { encoding: "utf8" });
    for (const [path] of libraries.matchAll(/\/\S+/g)) files.add(path);
  }
  for (const name of programs) {
    await mkdir(`${root}/usr/bin`, { recursive: true });
    await copyFile(`/usr/bin/${name}`, `${root}/usr/bin/${name}`);
  }
  await symlink("bash", `${root}/usr/bin/sh`);
  for (const file of files) {
    const to = `${root}/usr${file.replace(/^\/usr/, "")}`;
    await mkdir(dirname(to), { recursive: true });
    await copyFile(await realpath(file), to);
  }
  for (const name of ["bin", "lib", "lib64"]) await symlink(`usr/${name}`, `${root}/${name}`);
}

describe("an own system for sandboxes", () => {
  let folder: string;
  let rig: BubblewrapRig | null = null;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "berth-own-system-"));
    await chmod(folder, 0o755);
  });
  afterEach(async () => {
    await rig?.close();
    rig = null;
    await rm(folder, { recursive: true });
  });

  async function open(rootfs: string) {
    const { provider } = (rig = await makeBubblewrap({ dataDir: join(folder, "data"), rootfs }));
    return {
      provider,
      host: "local",
      outsideFile: null,
      readOutside: async () => "",
      close: async () => undefined,
    };
  }
  const system = () => join(folder, "system");

  async function runIn(command: string) {
    const { sandbox } = await makeSandbox(await open(system()));
    return await sandbox.exec({ command, timeoutMs: 10_000 });
  }

  it("is shown as it is, read-only, with what every sandbox has of its own in its places", async () => {
    await makeSystem(system());
    // As a Debian has them: folders in which something of Berth's is made.
    for (const name of ["var/tmp", "var/lib/own", "opt/own", "usr/local/bin", "home/somebody", "srv"])
      await mkdir(`${system()}/${name}`, { recursive: true });
    await symlink("/run", `${system()}/var/run`);
    await symlink(`/usr/bin/cat`, `${system()}/usr/local/bin/own-cat`);
    const etc = ["passwd", "group", "hosts", "resolv.conf", "nsswitch.conf", "own.conf"];
    await mkdir(`${system()}/etc`);
    for (const name of etc) await writeFile(`${system()}/etc/${name}`, "of the system\n");
    const look = "ls / /var /opt; own-cat /etc/own.conf /etc/hosts; id -un; echo x > /var/tmp/x && ls /tmp";
    const { output } = await runIn(`${look}; mkdir /srv/x /var/lib/own/x /usr/local/x /etc/x /x 2>&1`);
    const own = "bin dev etc lib lib64 opt proc run srv tmp usr var workspace".split(" ");
    const closed = ["/srv", "/var/lib/own", "/usr/local", "/etc", ""].map(
      (at) => `mkdir: cannot create directory '${at}/x': Read-only file system`,
    );
    expect(output.trim().split("\n")).toEqual(
      [
        ["/:", own, "", "/opt:", "berth", "own", "", "/var:", "lib", "run", "tmp"],
        ["of the system", "127.0.0.1 localhost sandbox", "::1 localhost", "user", "x", closed],
      ].flat(2),
    );
  });

  it("needs no file of /etc that a small Debian has not, nor /var, /opt and /usr/local", async () => {
    await makeSystem(system());
    await mkdir(`${system()}/etc`);
    await writeFile(`${system()}/etc/own.conf`, "of the system\n");
    await symlink("own.conf", `${system()}/etc/other.conf`);
    await symlink("../run/resolve.conf", `${system()}/etc/resolv.conf`);
    const { output } = await runIn("cat /etc/other.conf /etc/hosts /etc/resolv.conf; id -un; ls /var");
    const hosts = ["127.0.0.1 localhost sandbox", "::1 localhost"];
    expect(output.trim().split("\n")).toEqual(["of the system", ...hosts, "user", "tmp"]);
  });

  it("says what is missing when it is none", async () => {
    const why = async () => {
      const harness = await open(system());
      const { unavailable } = await harness.provider.probe();
      await rig?.close();
      return unavailable;
    };
    expect(await why()).toContain("no such file");
    await mkdir(system());
    expect(await why()).toContain("has no folder usr");
    await makeSystem(system());
    // Users of their own must reach it; where the server is not root, it is that user itself.
    await chmod(folder, 0o700);
    const asRoot = process.getuid?.() === 0;
    const tells = (await why())?.includes("everybody enter the folders above it") ?? false;
    expect(tells).toBe(asRoot);
    await chmod(folder, 0o755);
    await rm(`${system()}/usr/bin/bash`);
    expect(await why()).toContain("has no /bin/bash");
  });
});
