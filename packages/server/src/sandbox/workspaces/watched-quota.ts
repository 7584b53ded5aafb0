import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { z } from "zod";
import { type Clock, pause } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import type { WorkspaceLimits } from "./host-workspaces.ts";
import type { Measured, Measurer } from "./measure.ts";

/** Between two measurements of a workspace that a sandbox has; longer when one takes long. */
const restMs = 1_000;
/** A measurement is rested from for so many times what it took. */
const restFactor = 20;

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
  readonly onFull: () => void;
  readonly signal: AbortSignal;
}

/** Limits of folders that nothing but measuring can keep: what is found to be over them is told, and written to no more. */
export class WatchedQuota {
  readonly #clock: Clock;
  readonly #folder: string;
  readonly #measurer: Measurer;
  readonly #known = new Map<string, Known>();

  /** `folder`: where the limits are kept, a file for each workspace. */
  constructor(options: { clock: Clock; folder: string; measurer: Measurer }) {
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
    if (measured.bytes + added.bytes + bytes > limits.diskBytes) throw full(`${limits.diskBytes} bytes`);
    if (measured.files + added.files + 1 > limits.inodes) throw full(`${limits.inodes} files and folders`);
    added.bytes += bytes;
    added.files++;
  }

  async usage(id: string, root: string): Promise<{ bytes: number; files: number }> {
    const limits = (await this.#limitsOf(id)) ?? unlimited;
    const { bytes, files } = (await this.#measure(id, root, limits)).measured;
    return { bytes, files };
  }

  /** Measures again and again until the signal aborts. */
  async watch({ id, root, onFull, signal }: Watched): Promise<void> {
    while (!signal.aborted) {
      const began = this.#clock.monotonic();
      const limits = await this.#limitsOf(id);
      if (limits !== null) {
        const { measured } = await this.#measure(id, root, limits);
        const over = measured.bytes > limits.diskBytes || measured.files > limits.inodes;
        if (over && !signal.aborted) onFull();
      }
      const took = this.#clock.monotonic() - began;
      await pause(this.#clock, Math.max(restMs, took * restFactor), signal);
    }
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

const unlimited: WorkspaceLimits = {
  diskBytes: Number.POSITIVE_INFINITY,
  inodes: Number.POSITIVE_INFINITY,
};

function full(what: string): BerthError {
  return new BerthError("workspace_full", `The workspace may hold ${what} at most; remove some first.`);
}
