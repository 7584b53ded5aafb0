import { readFile } from "node:fs/promises";
import { processesWith } from "../host-processes.ts";
import { linesOf, needsNamespaces, type Finding, type Row } from "../row.ts";
import type { Runner } from "../target.ts";

// Opened for writing and closed again: nothing is written.
const privileged = `
for path in /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/vm/drop_caches /proc/sys/net/ipv4/ip_forward /proc/sysrq-trigger /sys/kernel/uevent_helper; do
  if (exec 3>>"$path") 2>/dev/null; then echo "OPENED $path"; fi
done; echo DONE`;

/** Who it is outside, as the machine sees it: its own view of that goes no further than the next namespace. */
async function userOutside(runner: Runner): Promise<string> {
  const mark = `2.${process.pid}${Math.floor(performance.now())}`;
  const sleeping = runner.run(`sleep ${mark}`);
  let found = "nobody";
  for (const until = performance.now() + 3_000; found === "nobody" && performance.now() < until;) {
    const pids = await processesWith(`sleep\0${mark}`);
    for (const pid of pids) {
      const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
      found = /^Uid:\s+(\d+)/m.exec(status)?.[1] ?? found;
    }
  }
  await sleeping;
  return found;
}

async function openPrivileged(runner: Runner): Promise<Finding> {
  const { output } = await runner.run(privileged);
  const opened = linesOf(output, "OPENED");
  const user = await userOutside(runner);
  const leaks = opened.map((path) => `${path} could be opened for writing`);
  if (user === "0") leaks.push("it is root outside");
  if (user === "nobody" || !output.includes("DONE"))
    leaks.push(`the probe did not run: ${output.slice(0, 200)}`);
  return { leaks, seen: `${opened.length} opened, user ${user} outside` };
}

// System calls by number, each in a process of its own, with arguments that do no harm where they are allowed: a place that is not there
// to mount on, descriptors that go at once. What comes back is not a permission that is missing: it was let through.
const calls = `
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
x64 = {"unshare": 272, "mount": 165, "chroot": 161, "mknodat": 259, "ptrace": 101, "keyctl": 250, "bpf": 321, "io_uring_setup": 425,
  "perf_event_open": 298, "userfaultfd": 323, "process_vm_readv": 310}
arm = {"unshare": 97, "mount": 40, "chroot": 51, "mknodat": 33, "ptrace": 117, "keyctl": 219, "bpf": 280, "io_uring_setup": 425,
  "perf_event_open": 241, "userfaultfd": 282, "process_vm_readv": 270}
numbers = x64 if os.uname().machine == "x86_64" else arm
buffer = ctypes.create_string_buffer(120)
attempts = {
  "unshare": (0x10000000,), "mount": (b"none", b"/nothing/here", b"tmpfs", 0, None), "chroot": (b"/tmp",),
  "mknodat": (-100, b"device", 0o20600, 0x103), "ptrace": (0x4206, os.getppid(), 0, 0), "keyctl": (0, -3, 1), "bpf": (0, buffer, 120),
  "io_uring_setup": (1, buffer), "userfaultfd": (0,), "perf_event_open": (buffer, 0, -1, -1, 0),
  "process_vm_readv": (os.getppid(), None, 0, None, 0, 0),
}
for name, arguments in attempts.items():
    child = os.fork()
    if child == 0:
        result = libc.syscall(numbers[name], *arguments)
        os._exit(1 if result < 0 and ctypes.get_errno() in (1, 13, 38) else 0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print("REFUSED" if code == 1 else "ALLOWED", name, flush=True)
try: os.unlink("device")
except OSError: pass
for line in open("/proc/self/status"):
    key, _, value = line.partition(":")
    if key in ("CapEff", "CapBnd", "NoNewPrivs", "Seccomp"): print("STATUS", key, value.strip())
`;

const expected: Readonly<Record<string, string>> = {
  CapEff: "0000000000000000",
  CapBnd: "0000000000000000",
  NoNewPrivs: "1",
  Seccomp: "2",
};

async function escalate(runner: Runner): Promise<Finding> {
  const { output } = await runner.run("/usr/bin/python3 -", { stdin: calls });
  const allowed = linesOf(output, "ALLOWED");
  const refused = linesOf(output, "REFUSED");
  const leaks = allowed.map((name) => `${name} is allowed`);
  const status = linesOf(output, "STATUS").map((line) => line.split(" "));
  for (const [name, value] of Object.entries(expected)) {
    const found = status.find(([key]) => key === name)?.[1] ?? "nothing";
    if (found !== value) leaks.push(`${name} is ${found}`);
  }
  if (refused.length + allowed.length < 11) leaks.push(`the probe did not run: ${output.slice(0, 200)}`);
  return { leaks, seen: `${refused.length} system calls refused, no capabilities, seccomp` };
}

export const kernelRows: readonly Row[] = [
  {
    id: "SBX-01",
    name: "Writing to the kernel through /proc",
    without: needsNamespaces,
    run: async (target) => openPrivileged(await target.tenant()),
    naive: openPrivileged,
  },
  {
    id: "SBX-18",
    name: "Escalation by system calls",
    without: needsNamespaces,
    run: async (target) => escalate(await target.tenant()),
    naive: escalate,
  },
];
