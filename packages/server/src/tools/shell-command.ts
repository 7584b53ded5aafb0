import { type ShellPart, ShellReader } from "./shell-reader.ts";

export interface ShellText {
  /** Every command that the text may run, those behind `sudo`, `env` and the like as well. */
  readonly parts: readonly ShellPart[];
  /** False when something in it can run commands that are not in `parts`. */
  readonly sure: boolean;
}

/** Longer texts, and texts of more commands, are not read: the answer is unsure. */
const maxText = 10_000;
const maxParts = 200;
/** Words of one command behind a carrier that are looked at. */
const maxCarried = 50;

/** Run the command that follows among their own words. */
const carriers = new Set(
  "builtin chroot command coproc doas env exec find flock ionice nice nohup nsenter parallel runuser setpriv setsid stdbuf strace sudo time timeout unshare watch xargs".split(
    " ",
  ),
);
/** Run what a word, a file or their input says. */
const interpreters = new Set(
  "alias bash busybox csh dash enable eval fish function hash ksh script sh source su trap zsh .".split(" "),
);
const languages = /^(python[\d.]*|perl|ruby|node|php|deno|bun|lua)$/;
const inlineCode = /^(-\w*[ceEpr]|--eval|--print|eval)/;

/**
 * Reads a text for `bash -c` with the aim to miss no command: what is doubtful (substitutions, here-documents, words that
 * are built from variables) makes the answer unsure instead of wrong.
 */
export function readShell(text: string): ShellText {
  if (text.length > maxText) return { parts: [], sure: false };
  const { parts, sure } = new ShellReader(text).read();
  if (parts.length > maxParts) return { parts: [], sure: false };
  const all = parts.flatMap(withCarried);
  return { parts: all, sure: sure && !all.some(runsUnknown) };
}

/** A text is simple when it is one command with literal words: no operator, expansion, redirection or comment. */
export function isSimpleCommand(text: string): boolean {
  if (text.length > maxText) return false;
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (quote === "'") {
      if (char === "'") quote = "";
    } else if (char === "`" || char === "$" || char === "\\" || char === "\n" || char === "\r") return false;
    else if (quote === '"') {
      if (char === '"') quote = "";
    } else if (char === "'" || char === '"') quote = char;
    else if (";&|()<>{}!#".includes(char)) return false;
    else if (char === "~" && at === 0) return false;
  }
  const [first = ""] = text.split(/[ \t]/, 1);
  return quote === "" && first !== "" && !/['"=*?[\]]/.test(first);
}

function withCarried(part: ShellPart): ShellPart[] {
  const [name = ""] = part.words;
  if (!carriers.has(baseName(name))) return [part];
  const carried = part.words
    .slice(1, maxCarried)
    .map((_, at) => ({ ...part, words: part.words.slice(at + 1) }));
  return [part, ...carried];
}

function runsUnknown({ words: [name = "", ...rest] }: ShellPart): boolean {
  const program = baseName(name);
  if (interpreters.has(program)) return true;
  if (languages.test(program)) return rest.some((word) => inlineCode.test(word));
  if (/^[gmn]?awk$/.test(program)) return rest.some((word) => /system|getline|\|/.test(word));
  return carriers.has(program) && rest.length >= maxCarried;
}

/** `/bin/rm` as `rm`. */
export function baseName(word: string): string {
  return word.slice(word.lastIndexOf("/") + 1);
}
