import { firstUnknown, type SyscallTable } from "./syscall-numbers.ts";

/** One instruction of classic BPF (struct sock_filter). */
interface Instruction {
  readonly code: number;
  readonly whenTrue: number;
  readonly whenFalse: number;
  readonly value: number;
}

const loadWord = 0x20;
const jumpEqual = 0x15;
const jumpAtLeast = 0x35;
const jumpAnyBit = 0x45;
const giveBack = 0x06;

const allow = 0x7fff0000;
const killProcess = 0x80000000;
const errno = (number: number) => 0x00050000 | number;
const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

/** Offsets in struct seccomp_data. The low half of an argument comes first: both machines are little-endian. */
const offsetOfNumber = 0;
const offsetOfArch = 4;
const offsetOfArgument = (index: number) => 16 + 8 * index;

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. CLONE_NEWTIME cannot be asked of clone. */
const newNamespaces = 0x7e020000;
/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK. */
const families = [1, 2, 10, 16];
/** TIOCSTI types into a terminal, TIOCLINUX pastes into one. */
const deniedIoctls = [0x5412, 0x541c];

const load = (offset: number): Instruction => ({ code: loadWord, whenTrue: 0, whenFalse: 0, value: offset });
const answer = (value: number): Instruction => ({ code: giveBack, whenTrue: 0, whenFalse: 0, value });
const when = (code: number, value: number, skip: { whenTrue?: number; whenFalse?: number }): Instruction => ({
  code,
  whenTrue: skip.whenTrue ?? 0,
  whenFalse: skip.whenFalse ?? 0,
  value,
});

/** The program that bubblewrap loads with `--seccomp`: 8 bytes for each instruction, in the machine's byte order. */
export function seccompProgram(table: SyscallTable): Buffer {
  const instructions: Instruction[] = [
    load(offsetOfArch),
    when(jumpEqual, table.arch, { whenTrue: 1 }),
    answer(killProcess),
    load(offsetOfNumber),
  ];
  // x32, the other interface of x64, has bit 30 set and so is above it too.
  instructions.push(when(jumpAtLeast, firstUnknown, { whenFalse: 1 }), answer(errno(ENOSYS)));
  refuse(instructions, table.clone3, ENOSYS);
  for (const number of Object.values(table.denied)) refuse(instructions, number, EPERM);
  inspect(instructions, table.clone, [
    load(offsetOfArgument(0)),
    when(jumpAnyBit, newNamespaces, { whenFalse: 1 }),
    answer(errno(EPERM)),
    answer(allow),
  ]);
  for (const number of [table.socket, table.socketpair]) inspect(instructions, number, onlyFamilies());
  inspect(instructions, table.ioctl, [
    load(offsetOfArgument(1)),
    ...deniedIoctls.flatMap((request) => [when(jumpEqual, request, { whenFalse: 1 }), answer(errno(EPERM))]),
    answer(allow),
  ]);
  instructions.push(answer(allow));
  return encode(instructions);
}

function refuse(instructions: Instruction[], number: number, error: number): void {
  instructions.push(when(jumpEqual, number, { whenFalse: 1 }), answer(errno(error)));
}

/** Runs `body`, which ends with an answer, for one system call; the number is still loaded for what comes after. */
function inspect(instructions: Instruction[], number: number, body: readonly Instruction[]): void {
  instructions.push(when(jumpEqual, number, { whenFalse: body.length }), ...body);
}

function onlyFamilies(): Instruction[] {
  const allowed = families.map((family, index) =>
    when(jumpEqual, family, { whenTrue: families.length - index }),
  );
  return [load(offsetOfArgument(0)), ...allowed, answer(errno(EAFNOSUPPORT)), answer(allow)];
}

function encode(instructions: readonly Instruction[]): Buffer {
  const program = Buffer.alloc(instructions.length * 8);
  for (const [index, { code, whenTrue, whenFalse, value }] of instructions.entries()) {
    program.writeUInt16LE(code, index * 8);
    program.writeUInt8(whenTrue, index * 8 + 2);
    program.writeUInt8(whenFalse, index * 8 + 3);
    program.writeUInt32LE(value >>> 0, index * 8 + 4);
  }
  return program;
}
