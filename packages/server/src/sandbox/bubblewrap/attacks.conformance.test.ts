import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { recordsOf } from "../../../test/support/sandbox/bubblewrap-remains.ts";
import { type BubblewrapRig, makeBubblewrap } from "../../../test/support/sandbox/bubblewrap-rig.ts";
import { runNaively } from "../../../test/support/sandbox/naive-bubblewrap.ts";
import type { Sandbox, SandboxLimits } from "../sandbox.ts";
import { makeSandbox, policy } from "../sandbox-harness.conformance.ts";
import type { SandboxRecord } from "./record.ts";

const mebibyte = 1024 * 1024;
const asRoot = process.getuid?.() === 0;
const canary = `canary_${randomBytes(12).toString("hex")}`;

describe("attacks on bubblewrap's sandboxes", () => {
  let folder: string;
  let rig: BubblewrapRig;
  beforeAll(async () => {
    process.env["CANARY_OF_THE_SERVER"] = canary;
    folder = await mkdtemp(join(tmpdir(), "berth-attacks-"));
    rig = await makeBubblewrap({ dataDir: folder });
    const { unavailable } = await rig.provider.probe();
    if (unavailable !== undefined) throw new Error(unavailable);
  });
  afterAll(async () => {
    delete process.env["CANARY_OF_THE_SERVER"];
    await rig.close();
    if (rig.warnings.length > 0) throw new Error(rig.warnings.join("\n"));
    await rm(folder, { recursive: true });
  });

  async function make(
    limits: Partial<SandboxLimits> = {},
  ): Promise<{ sandbox: Sandbox; record: SandboxRecord }> {
    const harness = {
      provider: rig.provider,
      host: "local",
      outsideFile: null,
      readOutside: async () => "",
      close: async () => undefined,
    };
    const made = await makeSandbox(harness, {
      policy: { ...policy, limits: { ...policy.limits, ...limits } },
    });
    const record = recordsOf(folder).find(({ id }) => id === made.ref.id);
    if (record === undefined) throw new Error("it has no record");
    return { sandbox: made.sandbox, record };
  }

  const sh = async (sandbox: Sandbox, command: string) => await sandbox.exec({ command, timeoutMs: 20_000 });

  it("SBX-01 opens nothing of the kernel's for writing, and is nobody outside", async () => {
    const paths = [
      "/proc/sys/kernel/core_pattern",
      "/proc/sys/kernel/modprobe",
      "/proc/sys/kernel/hostname",
      "/proc/sys/kernel/sysrq",
      "/proc/sys/vm/drop_caches",
      "/proc/sysrq-trigger",
      "/proc/1/mem",
      "/proc/1/task/1/mem",
      "/proc/1/oom_adj",
      "/dev/kmsg",
      "/dev/mem",
      "/sys/kernel/uevent_helper",
      "/usr/bin/env",
      "/etc/passwd",
      "/opt/berth/node",
      "/opt/berth/agent.mjs",
      "/run/berth/new",
    ];
    // Opened and closed, never written.
    const open = `python3 -c '
import os, errno
for path in ${JSON.stringify(paths)}:
    try:
        os.close(os.open(path, os.O_WRONLY))
        print("OPEN", path)
    except OSError as e:
        print(errno.errorcode[e.errno], path)
'`;
    const { sandbox, record } = await make();
    const { output, code } = await sh(sandbox, open);
    expect(code).toBe(0);
    const refused = new Set(["EACCES", "EPERM", "EROFS", "ENOENT", "EISDIR", "ETXTBSY"]);
    const results = output.trim().split("\n");
    expect(results).toHaveLength(paths.length);
    // How soon its own first process is ended when memory is short is a sandbox's own affair.
    const opened = results.filter((line) => !refused.has(line.split(" ")[0] ?? ""));
    expect(opened.filter((line) => !line.endsWith("/proc/1/oom_adj"))).toEqual([]);
    expect((await sh(sandbox, "ls /proc/1/root/")).output).not.toContain("home");
    for (const { pid } of record.processes) {
      const status = readFileSync(`/proc/${pid}/status`, "latin1");
      const uid = Number(/^Uid:\t(\d+)/m.exec(status)?.[1]);
      expect(uid).toBe(asRoot ? record.uid : process.getuid?.());
      expect(uid).not.toBe(0);
    }
    // The same look at bubblewrap as it is often run finds the way out, if the server is root, and the first process in any case.
    const found = await runNaively(open);
    expect(found.includes("OPEN /proc/sys/kernel/core_pattern")).toBe(asRoot);
    expect(found).toContain("OPEN /proc/1/mem");
    expect(found).toContain("OPEN /proc/1/task/1/mem");
  });

  it("SBX-02 shows nothing of the server: environment, arguments, descriptors, mounts", async () => {
    const look =
      "env; cat /proc/*/environ /proc/*/cmdline /proc/*/mountinfo /proc/*/cgroup | tr '\\0' ' '; ls -l /proc/*/fd; cat /etc/passwd; hostname";
    const { sandbox } = await make();
    const { output } = await sh(sandbox, look);
    expect(output).toContain("/workspace");
    expect(output).toMatch(/^\d+:\S*:\//m);
    expect(output).not.toContain(canary);
    expect(output).not.toContain("deployment-a");
    expect(output).not.toContain(process.cwd());
    expect(output).not.toContain("--setenv");
    // Where a workspace is no file system of its own, the path of its folder shows in the table of mounts.
    const { diskQuota } = await rig.provider.probe();
    expect(output.includes(folder)).toBe(diskQuota !== "image");
    expect(await runNaively("cat /proc/1/environ | tr '\\0' ' '")).toContain(canary);
    expect(await runNaively("cat /proc/1/cmdline | tr '\\0' ' '")).toContain("--setenv");
  });

  it("SBX-08 ends a fork bomb's growth at the limit of processes, while others answer", async () => {
    // At most 200 processes, for at most 5 s.
    const bomb = `python3 -c '
import os, time
made = 0
for _ in range(200):
    try:
        if os.fork() == 0:
            time.sleep(5); os._exit(0)
        made += 1
    except OSError:
        break
print(made)
'`;
    const [{ sandbox, record }, other] = await Promise.all([make({ pids: 64 }), make()]);
    const [attack, neighbour] = await Promise.all([sh(sandbox, bomb), sh(other.sandbox, "echo here")]);
    expect(Number(attack.output)).toBeLessThan(64);
    expect(neighbour.output).toBe("here\n");
    const group = record.groups.find((path) => existsSync(`${path}/pids.events`));
    expect(readFileSync(`${group}/pids.events`, "utf8")).toMatch(/^max [1-9]/m);
    expect(Number(await runNaively(bomb))).toBe(200);
  });

  it("SBX-09 ends what needs more memory, by whatever way, and says so", async () => {
    const limits = { memoryBytes: 128 * mebibyte, tmpBytes: 256 * mebibyte, shmBytes: 256 * mebibyte };
    const { sandbox } = await make(limits);
    const before = process.memoryUsage().rss;
    const ways = [
      "exec python3 -c 'x = bytearray(400 << 20)'",
      "exec dd if=/dev/zero of=/tmp/fill bs=1M count=240 status=none",
      "rm -f /tmp/fill; exec dd if=/dev/zero of=/dev/shm/fill bs=1M count=240 status=none",
    ];
    for (const way of ways) expect([way, (await sh(sandbox, way)).reason]).toEqual([way, "oom"]);
    // The cache of files is given back and ends nothing.
    const cached = await sh(
      sandbox,
      "rm -f /dev/shm/fill; dd if=/dev/zero of=big bs=1M count=300 status=none; echo $?",
    );
    expect(cached).toMatchObject({ reason: "exit", output: "0\n" });
    expect((await sandbox.metrics()).oomKills).toBeGreaterThanOrEqual(3);
    expect(process.memoryUsage().rss - before).toBeLessThan(50 * mebibyte);
    expect(await runNaively("python3 -c 'print(len(bytearray(400 << 20)))'")).toBe(`${400 * mebibyte}\n`);
  });

  it("SBX-11 gives no more of the processor than its share, while others answer", async () => {
    const burn = "for i in 1 2 3 4; do timeout 1 bash -c 'while :; do :; done' & done; wait; echo done";
    const throttled = ({ groups }: SandboxRecord) => {
      const group = groups.find((path) => existsSync(`${path}/cpu.stat`));
      return Number(/^nr_throttled (\d+)$/m.exec(readFileSync(`${group}/cpu.stat`, "utf8"))?.[1]);
    };
    const [hog, other] = await Promise.all([make({ cpus: 0.3 }), make({ cpus: 4 })]);
    const [burnt, neighbour] = await Promise.all([sh(hog.sandbox, burn), sh(other.sandbox, "echo here")]);
    expect(burnt.output).toContain("done");
    expect(neighbour.output).toBe("here\n");
    // Beside other work it takes more than one burst until it would have had too much.
    const held = async () => {
      if (throttled(hog.record) === 0) await sh(hog.sandbox, burn);
      return throttled(hog.record);
    };
    await expect.poll(held, { timeout: 20_000 }).toBeGreaterThan(0);
    // One with more than the machine has is never held back.
    await sh(other.sandbox, burn);
    expect(throttled(other.record)).toBe(0);
  }, 60_000);

  it("SBX-18 gains nothing: no capability, no namespace, no look into others, no way around the filter", async () => {
    const status = "grep -E '^(CapEff|CapBnd|CapPrm|CapAmb|NoNewPrivs|Seccomp):' /proc/self/status";
    const calls = `python3 -c '
import ctypes, errno, fcntl, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *args):
    ctypes.set_errno(0)
    result = libc.syscall(*[ctypes.c_long(a) if isinstance(a, int) else a for a in args])
    print(name, "DONE" if result != -1 else errno.errorcode[ctypes.get_errno()])
nothing = ctypes.create_string_buffer(256)
call("unshare", 272, 0x10000000)
call("clone3", 435, nothing, 88)
call("mount", 165, nothing, b"/tmp", b"tmpfs", 0, 0)
call("chroot", 161, b"/tmp")
call("pivot_root", 155, b"/tmp", b"/tmp")
call("setns", 308, 0, 0)
call("ptrace", 101, 16, os.getppid(), 0, 0)
call("process_vm_readv", 310, os.getppid(), nothing, 1, nothing, 1, 0)
call("pidfd_getfd", 438, 0, 0, 0)
call("keyctl", 250, 0, -3, 1)
call("bpf", 321, 0, nothing, 48)
call("io_uring_setup", 425, 1, nothing)
call("perf_event_open", 298, nothing, 0, -1, -1, 0)
call("userfaultfd", 323, 0)
call("open_tree", 428, -100, b"/", 1)
call("setuid", 105, 0)
call("mknod", 133, b"/tmp/node", 0o20666, 0x103)
for name, family, kind, protocol in [("packet", 17, 3, 0), ("vsock", 40, 1, 0), ("alg", 38, 5, 0), ("raw", 2, 3, 1)]:
    try:
        socket.socket(family, kind, protocol); print(name, "DONE")
    except OSError as e:
        print(name, errno.errorcode[e.errno])
pty, tty = os.openpty()
try:
    fcntl.ioctl(tty, 0x5412, b"x"); print("TIOCSTI", "DONE")
except OSError as e:
    print("TIOCSTI", errno.errorcode[e.errno])
'`;
    const { sandbox } = await make();
    const held = (await sh(sandbox, status)).output;
    for (const name of ["CapEff", "CapBnd", "CapPrm", "CapAmb"])
      expect(held).toContain(`${name}:\t${"0".repeat(16)}`);
    expect(held).toContain("NoNewPrivs:\t1");
    expect(held).toContain("Seccomp:\t2");
    const { output } = await sh(sandbox, calls);
    const results = output.trim().split("\n");
    expect(results).toHaveLength(22);
    // No other user has a number in the sandbox at all.
    expect(results).toContain("setuid EINVAL");
    const refused = / (EPERM|ENOSYS|EAFNOSUPPORT)$/;
    expect(results.filter((line) => !refused.test(line))).toEqual(["setuid EINVAL"]);
    // Programs that would give rights keep none of them.
    expect((await sh(sandbox, "su -c id root </dev/null; mount -t tmpfs x /tmp")).code).not.toBe(0);
    expect(await runNaively("unshare --user --mount true && echo DONE")).toBe("DONE\n");
  });

  it("SBX-18 runs one command in a sandbox of its own, and nothing of it is left", async () => {
    const { sandbox, record } = await make();
    const one = await sandbox.exec({
      command: "touch /tmp/mine kept; (setsid sleep 300 &); echo up; cat /proc/self/status | grep ^Seccomp:",
      timeoutMs: 20_000,
      oneshot: true,
    });
    expect(one).toMatchObject({ code: 0, reason: "exit", output: "up\nSeccomp:\t2\n" });
    expect((await sh(sandbox, "ls kept /tmp/mine 2>/dev/null; pgrep sleep")).output).toBe("kept\n");
    const left = readFileSync(`${record.groups[0]}/cgroup.procs`, "utf8").trim().split("\n");
    for (const pid of left) expect(readFileSync(`/proc/${pid}/comm`, "utf8")).not.toContain("sleep");
    const slow = await sandbox.exec({ command: "sleep 60", timeoutMs: 500, oneshot: true });
    expect(slow.reason).toBe("timeout");
  });

  it("bounds how many sandboxes for single commands one has at once, and says when it is ended meanwhile", async () => {
    const { sandbox, record } = await make({ processes: 2 });
    const timeoutMs = 20_000;
    const begun = [1, 2].map(() => sandbox.exec({ command: "sleep 15", timeoutMs, oneshot: true }));
    const ends = Promise.allSettled(begun);
    const third = sandbox.exec({ command: "true", timeoutMs, oneshot: true });
    await expect(third).rejects.toMatchObject({ code: "too_many_processes" });
    await rig.provider.destroy({ id: record.id, host: "local" }, { reason: "test" });
    const told = (await ends).map((one) =>
      one.status === "fulfilled" ? one.value.reason : (one.reason as { code?: unknown }).code,
    );
    expect(told.filter((how) => !["sandbox_gone", "killed", "lost"].includes(String(how)))).toEqual([]);
  });
});
