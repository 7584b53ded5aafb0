import type { Random } from "../random.ts";

/** What a scripted model does in one answer: see models/scripted/script.ts for the steps. */
export type Step = Readonly<Record<string, unknown>>;
export type Turn = readonly Step[];

/** A message that tells the model `scripted/script` what to do, with a word that only this message has. */
export function scriptMessage(marker: string, turns: readonly Turn[]): string {
  return `${marker} ${JSON.stringify({ script: turns })}`;
}

const words =
  "the quick brown fox jumps over a lazy dog while 7 naïve 🦊 zebras “vex” Köln’s bold wizards".split(" ");

export function prose(random: Random, count: number): string {
  return Array.from({ length: count }, () => random.pick(words)).join(" ");
}

/** Text that takes a while to be written. */
export function slowText(random: Random, ms: number): Step {
  const text = prose(random, 40);
  const pieces = Math.ceil(Array.from(text).length / 12);
  return { text, chunk: 12, delayMs: Math.max(1, Math.round(ms / pieces)) };
}

export function quickText(random: Random): Step {
  return { text: prose(random, random.int(3, 30)), chunk: random.int(1, 40) };
}

export function thinking(random: Random): Step {
  return { thinking: prose(random, random.int(3, 12)), chunk: 16 };
}

/** Where the tools of effect `once` leave their trace: one line per execution, outside every workspace. */
export class OnceFile {
  readonly path: string;
  readonly #word: () => string;

  constructor(path: string, word: () => string) {
    this.path = path;
    this.#word = word;
  }

  /** A command that says its own word, then does more. */
  command(then = ""): { readonly command: string; readonly token: string } {
    const token = this.#word();
    return { token, command: `echo ${token} >> '${this.path}'${then === "" ? "" : `; ${then}`}` };
  }

  /** A call of bash_run. */
  call(then = ""): Step {
    return { tool: "bash_run", input: { command: this.command(then).command } };
  }
}

/** The words that a command says into the file. */
export function tokensOf(command: string): readonly string[] {
  return [...command.matchAll(/echo (\w+) >> /g)].flatMap((match) => match[1] ?? []);
}
