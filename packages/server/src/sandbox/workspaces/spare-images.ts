import { rm, rmdir } from "node:fs/promises";
import type { Clock, TimerHandle } from "../../lib/clock.ts";
import type { WorkspaceLimits } from "./host-workspaces.ts";
import { type ImagePrograms, makeImage } from "./image-file.ts";
import { mountWorkspace, unmountBelow } from "./mount-image.ts";

/** So long after somebody took one the next is made: then the sandbox that it was taken for is there and has the processors no more. */
const restMs = 250;

interface Spare {
  readonly file: string;
  /** Where it is mounted. */
  readonly at: string;
}

export interface SpareImages {
  /** An empty workspace of exactly these limits, mounted; null when none is ready. Whoever takes it moves the file. */
  take(limits: WorkspaceLimits): Spare | null;
  /** Soon there is one of these limits, and none of others. */
  order(limits: WorkspaceLimits): void;
  /** Makes none from now on. What there is goes with the folder of this run. Idempotent. */
  close(): Promise<void>;
}

export interface SpareOptions {
  readonly folders: {
    readonly templates: string;
    readonly own: { readonly mounts: string; readonly staging: string };
  };
  readonly programs: ImagePrograms;
  readonly clock: Clock;
  readonly onError: (thrown: unknown) => void;
}

/**
 * Keeps one empty workspace mounted for the next session, once there was one: a claim then renames a file (0.1 ms) where it
 * would copy a template and mount it (14 ms, two processes). It lies in the folder of this run, so that a sweep finds it when
 * this server is killed.
 */
export function createSpareImages({ folders, programs, clock, onError }: SpareOptions): SpareImages {
  const { templates, own } = folders;
  let ready: { readonly limits: string; readonly spare: Spare } | null = null;
  let wanted: WorkspaceLimits | null = null;
  let timer: TimerHandle | null = null;
  let making: Promise<void> | null = null;
  let count = 0;
  let closed = false;

  async function make(limits: WorkspaceLimits): Promise<void> {
    if (ready !== null) await discard(ready.spare);
    ready = null;
    const name = `spare-${++count}`;
    const spare = { file: `${own.staging}/${name}.img`, at: `${own.mounts}/${name}` };
    await makeImage(programs, { file: spare.file, draft: `${own.staging}/${name}`, templates, limits });
    await mountWorkspace(programs, spare.file, spare.at);
    ready = { limits: keyOf(limits), spare };
  }

  async function discard({ file, at }: Spare): Promise<void> {
    await unmountBelow(programs, at);
    await rmdir(at);
    await rm(file);
  }

  function schedule(): void {
    if (closed || wanted === null || timer !== null || making !== null) return;
    const limits = wanted;
    timer = clock.after(restMs, () => {
      timer = null;
      wanted = null;
      if (ready?.limits === keyOf(limits)) return;
      making = make(limits)
        .catch(onError)
        .finally(() => {
          making = null;
          schedule();
        });
    });
  }

  return {
    take(limits) {
      if (ready?.limits !== keyOf(limits)) return null;
      const { spare } = ready;
      ready = null;
      return spare;
    },
    order(limits) {
      wanted = limits;
      schedule();
    },
    async close() {
      closed = true;
      timer?.cancel();
      await making;
    },
  };
}

function keyOf({ diskBytes, inodes }: WorkspaceLimits): string {
  return `${diskBytes}-${inodes}`;
}
