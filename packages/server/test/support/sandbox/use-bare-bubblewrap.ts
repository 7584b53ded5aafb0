import { afterAll, beforeAll } from "vitest";
import type { ExecResult, ExecSpec, ProcessEvent } from "../../../src/sandbox/sandbox.ts";
import type { SandboxCommands } from "../../../src/sandbox/bubblewrap/agent-client.ts";
import { type BareBubblewrap, startBareBubblewrap } from "./bare-bubblewrap.ts";

export interface UsedBubblewrap {
  readonly box: () => BareBubblewrap;
  /** What its agent does, from the workspace's top. */
  readonly sandbox: () => SandboxCommands;
  readonly sh: (command: string, spec?: Partial<ExecSpec>) => Promise<ExecResult>;
  /** The commands of all processes but the sandbox's own two and the one that asks. */
  readonly others: () => Promise<readonly string[]>;
  /** Reads a background process's output until it matches, or to its end. */
  readonly follow: (id: string, until?: RegExp) => Promise<{ text: string; end: ProcessEvent | null }>;
}

/** One sandbox for all tests of a file. */
export function useBareBubblewrap(): UsedBubblewrap {
  let box: BareBubblewrap | undefined;
  beforeAll(async () => {
    box = await startBareBubblewrap();
  });
  afterAll(() => box?.close());
  const started = () => {
    if (box === undefined) throw new Error("the sandbox did not start");
    return box;
  };
  const sandbox = () => started().client.inFolder("");
  const sh = (command: string, spec: Partial<ExecSpec> = {}) =>
    sandbox().exec({ command, timeoutMs: 10_000, ...spec });
  return {
    box: started,
    sandbox,
    sh,
    async others() {
      for (let asked = 1; ; asked++) {
        const { output } = await sh("ps -eo pid=,args= | grep -v 'ps -eo' | grep -v grep");
        const found = output
          .split("\n")
          .map((line) => line.trim().replace(/^\d+ /, ""))
          .filter(
            (line) =>
              line !== "" && !/^(\/usr\/bin\/bwrap|\/opt\/berth\/node \/opt\/berth\/agent)/.test(line),
          );
        // Without arguments: one that is just becoming another program, as those of this very question do, or is just ending.
        if (asked === 20 || !found.some((line) => /^\[\w+\]/.test(line))) return found;
      }
    },
    async follow(id, until) {
      let text = "";
      for await (const event of sandbox().attach(id)) {
        if (event.type === "end") return { text, end: event };
        text += Buffer.from(event.data).toString();
        if (until?.test(text) === true) break;
      }
      return { text, end: null };
    },
  };
}
