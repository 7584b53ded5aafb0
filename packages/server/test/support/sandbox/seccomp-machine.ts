/** What the kernel shows a filter of one system call. */
export interface SystemCall {
  readonly arch: number;
  readonly number: number;
  readonly args?: readonly bigint[];
}

export type Verdict = "allow" | "kill" | { readonly errno: number };

/** Runs a filter as the kernel does: decodes classic BPF and says what becomes of a system call. Throws for what is no such program. */
export function judge(program: Buffer, { arch, number, args = [] }: SystemCall): Verdict {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number >>> 0, 0);
  data.writeUInt32LE(arch >>> 0, 4);
  for (const [index, value] of args.entries())
    data.writeBigUInt64LE(BigInt.asUintN(64, value), 16 + 8 * index);
  let accumulator = 0;
  const length = program.length / 8;
  if (!Number.isInteger(length) || length === 0 || length > 4_096) throw new Error("not a program");
  for (let at = 0; at < length; at++) {
    const code = program.readUInt16LE(at * 8);
    const whenTrue = program.readUInt8(at * 8 + 2);
    const whenFalse = program.readUInt8(at * 8 + 3);
    const value = program.readUInt32LE(at * 8 + 4);
    switch (code) {
      case 0x20:
        if (value % 4 !== 0 || value > 60) throw new Error(`a load at ${value}`);
        accumulator = data.readUInt32LE(value);
        break;
      case 0x15:
        at += accumulator === value ? whenTrue : whenFalse;
        break;
      case 0x35:
        at += accumulator >= value ? whenTrue : whenFalse;
        break;
      case 0x45:
        at += (accumulator & value) !== 0 ? whenTrue : whenFalse;
        break;
      case 0x06:
        return verdictOf(value);
      default:
        throw new Error(`an instruction ${code}`);
    }
  }
  throw new Error("it ends without an answer");
}

function verdictOf(value: number): Verdict {
  if (value === 0x7fff0000) return "allow";
  if (value === 0x80000000) return "kill";
  if ((value & 0xffff0000) === 0x00050000) return { errno: value & 0xffff };
  throw new Error(`an answer ${value}`);
}
