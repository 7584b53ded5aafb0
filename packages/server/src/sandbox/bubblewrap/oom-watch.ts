import type { ProcessEnd } from "../output/running-process.ts";
import type { ControlGroup, GroupMetrics } from "./control-groups.ts";

/** Tells whether a command was ended because memory was out. */
export interface OomWatch {
  /** `oom` when the kernel has killed for memory since this was last asked, and the command's end looks like it. */
  readonly explain: (end: ProcessEnd) => Promise<"oom" | null>;
  /** The last figures of the group, to be read before it is removed. */
  note(): Promise<void>;
}

/** By the kernel's own count of the group. Without control groups there is none, and nothing is explained. */
export function watchOom(group: ControlGroup | null): OomWatch {
  let told = 0;
  let last: GroupMetrics | null = null;
  async function count(): Promise<number> {
    const { oomKills } = (await group?.metrics()) ?? { oomKills: null };
    return oomKills ?? last?.oomKills ?? 0;
  }
  return {
    async explain({ code, signal, reason }) {
      // 137: a shell's way to say that what it ran was killed.
      if (signal !== "SIGKILL" && code !== 137 && reason !== "lost") return null;
      const kills = await count();
      if (kills <= told) return null;
      told = kills;
      return "oom";
    },
    async note() {
      last = (await group?.metrics()) ?? null;
    },
  };
}
