import type { Capabilities } from "../../src/sandbox/sandbox.ts";
import type { Ran, RemoteFiles, Runner, RunOptions, Target } from "./target.ts";

/** What an attack came to: what leaked, and what was seen. */
export interface Finding {
  /** Each a sentence; none when the attack was held. */
  readonly leaks: readonly string[];
  /** One line for the table. */
  readonly seen: string;
}

/** One attack of the catalogue. */
export interface Row {
  readonly id: string;
  readonly name: string;
  /** Why a provider with these capabilities is not expected to hold it; null when it is. */
  readonly without?: (caps: Capabilities) => string | null;
  run(target: Target): Promise<Finding>;
  /** The same attack and the same detector against something that holds nothing: what leaks there proves that the detector sees it. */
  naive?: (host: NaiveHost) => Promise<Finding>;
}

/** Something that holds nothing, see naive-host.ts. */
export interface NaiveHost extends Runner {
  readonly folder: string;
  /** A folder beside it, which is as much its own. */
  readonly outside: string;
  readonly secrets: readonly string[];
  readonly files: RemoteFiles;
  /** Runs on the machine itself, and ends the group alone: for commands that do nothing but sleep. */
  sleepers(command: string, options?: RunOptions): Promise<Ran>;
}

/** What holds an attack only where there are namespaces. */
export const needsNamespaces = ({ isolation, label }: Capabilities): string | null =>
  isolation === "none" ? `this provider is ${label}` : null;

export const needsCgroup = ({ cgroup, isolation, label }: Capabilities): string | null =>
  isolation === "none"
    ? `this provider is ${label}`
    : cgroup === "none"
      ? "no control groups on this machine"
      : null;

/** The lines of an output that begin with a word, without it. */
export function linesOf(output: string, word: string): readonly string[] {
  return output
    .split("\n")
    .filter((line) => line.startsWith(`${word} `))
    .map((line) => line.slice(word.length + 1));
}
