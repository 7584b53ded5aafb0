import { readFile, rename, rm, statfs, writeFile } from "node:fs/promises";
import { z } from "zod";
import { type Clock, pause } from "../../lib/clock.ts";
import { roughByteSize } from "../../lib/byte-size.ts";
import { BerthError } from "../../lib/errors.ts";
import type { WorkspaceLimits } from "./host-workspaces.ts";
import type { Measured, Measurer } from "./measure.ts";

/**
 * Between two looks at a workspace that a sandbox has: a disk takes a few GB in that time at most, and the walk through a usual
 * workspace (1,000 files: 10 ms) costs a hundredth of a processor.
 */
const restMs = 1_000;
/** A walk is rested from for so many times what it took, unless the disk says that the workspace may be full by now. */
const restFactor = 20;
/** So many times in a row that a tree cannot be measured, and it counts as full: a program that moves folders about is not free of limits. */
const mostUnknown = 3;

const limitsSchema = z.strictObject({ diskBytes: z.number(), inodes: z.number() });

interface Known {
  readonly measured: Measured;
  /** Bytes and files that the server wrote since. */
  added: { bytes: number; files: number };
  readonly at: number;
}

export interface Watched {
  readonly id: string;
  readonly root: string;
  /** See HoldOptions. */
  readonly onLook: () => () => void;
  /** See HoldOptions. */
  readonly namelessBytes?: () => Promise<number>;
  /** A measurement failed; there will be others. */
  readonly onError: (thrown: unknown) => void;
  readonly signal: AbortSignal;
}

/** Limits of folders that nothing but measuring can keep: what is found to be over them is told, and written to no more. */
export class WatchedQuota {
  readonly #clock: Clock;
  readonly #folder: string;
  readonly #measurer: Pick<Measurer, "measure">;
  readonly #known = new Map<string, Known>();

  /** `folder`: where the limits are kept, a file for each workspace. */
  constructor(options: { clock: Clock; folder: string; measurer: Pick<Measurer, "measure"> }) {
    this.#clock = options.clock;
    this.#measurer = options.measurer;
    this.#folder = options.folder;
  }

  async setLimits(id: string, { diskBytes, inodes }: WorkspaceLimits): Promise<void> {
    const draft = `${this.#fileOf(id)}.new`;
    await writeFile(draft, JSON.stringify({ diskBytes, inodes }), { mode: 0o600 });
    await rename(draft, this.#fileOf(id));
  }

  async forget(id: string): Promise<void> {
    this.#known.delete(id);
    await rm(this.#fileOf(id), { force: true });
  }

  /** Throws `workspace_full` when so many bytes more are too many. */
  async admit(id: string, root: string, bytes: number): Promise<void> {
    const limits = await this.#limitsOf(id);
    if (limits === null) return;
    const known = this.#known.get(id);
    const fresh = known !== undefined && this.#clock.monotonic() - known.at < restMs * restFactor;
    const { measured, added } = fresh ? known : await this.#measure(id, root, limits);
    if (measured.bytes + added.bytes + bytes > limits.diskBytes) throw full(roughByteSize(limits.diskBytes));
    if (measured.files + added.files + 1 > limits.inodes) throw full(`${limits.inodes} files and folders`);
    added.bytes += bytes;
    added.files++;
  }

  async usage(id: string, root: string): Promise<{ bytes: number; files: number }> {
    const limits = (await this.#limitsOf(id)) ?? unlimited;
    const { bytes, files } = (await this.#measure(id, root, limits)).measured;
    return { bytes, files };
  }

  /** Measures again and again until the signal aborts. Never rejects. */
  async watch(watched: Watched): Promise<void> {
    const { root, onLook, onError, signal } = watched;
    let unknown = 0;
    while (!signal.aborted) {
      const free = await freeOf(root);
      const onFull = onLook();
      const found = await this.#look(watched).catch((thrown: unknown) => {
        if (!signal.aborted) onError(thrown);
        return nothingKnown;
      });
      unknown = found.state === "unknown" ? unknown + 1 : 0;
      if ((found.state === "over" || unknown >= mostUnknown) && !signal.aborted) onFull();
      const until = this.#clock.monotonic() + found.tookMs * restFactor;
      do await pause(this.#clock, restMs, signal);
      while (
        !signal.aborted &&
        this.#clock.monotonic() < until &&
        !tookMore(free, await freeOf(root), found.room)
      );
    }
  }

  async #look({ id, root, namelessBytes }: Watched): Promise<Look> {
    const limits = await this.#limitsOf(id);
    if (limits === null) return { ...nothingKnown, state: "within" };
    const { measured } = await this.#measure(id, root, limits);
    const began = this.#clock.monotonic();
    const bytes = measured.bytes + ((await namelessBytes?.()) ?? 0);
    const tookMs = measured.tookMs + this.#clock.monotonic() - began;
    const room = { bytes: limits.diskBytes - bytes, files: limits.inodes - measured.files };
    const over = room.bytes < 0 || room.files < 0;
    const state = over ? "over" : measured.complete ? "within" : "unknown";
    return { state, room, tookMs };
  }

  async #measure(id: string, root: string, limits: WorkspaceLimits): Promise<Known> {
    const job = { root, maxBytes: limits.diskBytes, maxFiles: limits.inodes };
    const measured = await this.#measurer.measure(job);
    const known: Known = { measured, added: { bytes: 0, files: 0 }, at: this.#clock.monotonic() };
    this.#known.set(id, known);
    return known;
  }

  /** Null when none were set. */
  async #limitsOf(id: string): Promise<WorkspaceLimits | null> {
    const text = await readFile(this.#fileOf(id), "utf8").catch(() => null);
    return text === null ? null : limitsSchema.parse(JSON.parse(text));
  }

  #fileOf(id: string): string {
    return `${this.#folder}/${id}.json`;
  }
}

interface Room {
  readonly bytes: number;
  readonly files: number;
}

interface Look {
  readonly state: "within" | "over" | "unknown";
  /** What may be added. */
  readonly room: Room;
  readonly tookMs: number;
}

const nothingKnown: Look = { state: "unknown", room: { bytes: 0, files: 0 }, tookMs: 0 };

/** What the whole disk has left. */
async function freeOf(root: string): Promise<Room> {
  const { bfree, bsize, ffree } = await statfs(root).catch(() => ({ bfree: 0, bsize: 0, ffree: 0 }));
  return { bytes: bfree * bsize, files: ffree };
}

/** Whether so much went from the disk, by whomever, that it would not fit into what a workspace may still take. */
function tookMore(before: Room, now: Room, room: Room): boolean {
  return before.bytes - now.bytes > room.bytes || before.files - now.files > room.files;
}

const unlimited: WorkspaceLimits = {
  diskBytes: Number.POSITIVE_INFINITY,
  inodes: Number.POSITIVE_INFINITY,
};

function full(what: string): BerthError {
  return new BerthError("workspace_full", `The workspace may hold ${what} at most; remove some first.`);
}
