import { describe, expect, it } from "vitest";
import { judge } from "../../../test/support/sandbox/seccomp-machine.ts";
import { seccompProgram } from "./seccomp.ts";
import { syscallTables } from "./syscall-numbers.ts";

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

/** What a sandbox cannot do without, by machine: read, write, openat, execve, mmap, futex, exit_group, getpid, prctl, seccomp. */
const needed: Readonly<Record<string, readonly number[]>> = {
  x64: [0, 1, 257, 59, 9, 202, 231, 39, 157, 317, 3, 61, 72, 232, 288, 435 - 1],
  arm64: [63, 64, 56, 221, 222, 98, 94, 172, 167, 277, 57, 260, 25, 22, 242],
};

describe.each(Object.entries(syscallTables))("the system call filter of %s", (name, table) => {
  const program = seccompProgram(table);
  const ask = (number: number, ...args: bigint[]) => judge(program, { arch: table.arch, number, args });

  it("is a whole program whose every jump stays in it", () => {
    expect(program.length / 8).toBeLessThan(4_096);
    for (let number = 0; number < 1_024; number++) expect(() => ask(number)).not.toThrow();
  });

  it("kills what speaks another machine's language", () => {
    const other = Object.values(syscallTables).find(({ arch }) => arch !== table.arch);
    expect(judge(program, { arch: other?.arch ?? 0, number: 0 })).toBe("kill");
    // 32-bit x86, which an x64 kernel takes too.
    expect(judge(program, { arch: 0x40000003, number: 0 })).toBe("kill");
  });

  it("refuses every call of the list, whatever its arguments are", () => {
    for (const [call, number] of Object.entries(table.denied)) {
      expect([call, ask(number)]).toEqual([call, { errno: EPERM }]);
      expect(ask(number, -1n, -1n, -1n)).toEqual({ errno: EPERM });
    }
    expect(Object.keys(table.denied)).toEqual(
      expect.arrayContaining([
        "ptrace",
        "process_vm_readv",
        "pidfd_getfd",
        "bpf",
        "keyctl",
        "mount",
        "setns",
      ]),
    );
  });

  it("makes threads and processes, and no namespace", () => {
    const thread = 0x3d0f00n;
    const fork = 0x1200011n;
    for (const flags of [thread, fork]) expect(ask(table.clone, flags)).toBe("allow");
    const spaces = [0x20000n, 0x2000000n, 0x4000000n, 0x8000000n, 0x10000000n, 0x20000000n, 0x40000000n];
    for (const flag of spaces) {
      expect(ask(table.clone, fork | flag)).toEqual({ errno: EPERM });
      // The kernel looks at all 64 bits only for clone3.
      expect(ask(table.clone, fork | flag | 0xff00000000n)).toEqual({ errno: EPERM });
    }
    expect(ask(table.clone3)).toEqual({ errno: ENOSYS });
  });

  it("opens sockets of UNIX, IPv4, IPv6 and netlink, and no others", () => {
    for (const call of [table.socket, table.socketpair]) {
      for (let family = 0n; family < 64n; family++) {
        const allowed = [1n, 2n, 10n, 16n].includes(family);
        expect(ask(call, family)).toEqual(allowed ? "allow" : { errno: EAFNOSUPPORT });
      }
      // The family is an int: what is above its 32 bits does not make it another one.
      expect(ask(call, 0x1_0000_0028n)).toEqual({ errno: EAFNOSUPPORT });
    }
  });

  it("types into no terminal", () => {
    expect(ask(table.ioctl, 0n, 0x5412n)).toEqual({ errno: EPERM });
    expect(ask(table.ioctl, 0n, 0x541cn)).toEqual({ errno: EPERM });
    // The kernel looks at 32 bits of the request, so the others must not hide it.
    expect(ask(table.ioctl, 0n, 0xffffffff_00005412n)).toEqual({ errno: EPERM });
    for (const request of [0x5401n, 0x5413n, 0x540en]) expect(ask(table.ioctl, 0n, request)).toBe("allow");
  });

  it("knows no call that came after it, nor another interface of the machine", () => {
    expect(ask(463)).toEqual({ errno: ENOSYS });
    expect(ask(0x40000000 + 101)).toEqual({ errno: ENOSYS });
    expect(ask(-1)).toEqual({ errno: ENOSYS });
  });

  it("lets through what every program needs", () => {
    for (const number of needed[name] ?? []) expect([number, ask(number)]).toEqual([number, "allow"]);
  });

  it("would be seen to leak: a filter without its list allows what it refuses", () => {
    const naive = seccompProgram({ ...table, denied: {} });
    const number = table.denied["ptrace"] ?? 0;
    expect(judge(naive, { arch: table.arch, number })).toBe("allow");
  });
});
