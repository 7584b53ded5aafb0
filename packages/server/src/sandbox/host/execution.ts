import type { Clock, TimerHandle } from "../../lib/clock.ts";
import { ByteRing } from "../output/byte-ring.ts";
import { envelopeOf } from "../protocol/errors.ts";
import { aliveFrame, encodeOutput, encodeValue, frameData } from "../protocol/frames.ts";
import { wireLimits, wireTimes } from "../protocol/wire.ts";
import type { ExecResult } from "../sandbox.ts";

/** Runs a command until it ends or the signal aborts, and gives its output as it comes. */
export type Run = (options: {
  readonly signal: AbortSignal;
  readonly onOutput: (chunk: string) => void;
}) => Promise<ExecResult>;

/** One command, followed by whoever is connected; somebody who was cut off goes on from the offset that they have. */
export class Execution {
  readonly #clock: Clock;
  readonly #output = new ByteRing(wireLimits.replay);
  readonly #stop = new AbortController();
  #end: Buffer | null = null;
  #followers = 0;
  #changed = Promise.withResolvers<void>();
  #orphaned: TimerHandle | null = null;

  constructor({ clock, run, onEnd }: { clock: Clock; run: Run; onEnd: () => void }) {
    this.#clock = clock;
    const finish = (frame: Buffer) => {
      this.#end = frame;
      this.#orphaned?.cancel();
      this.#tell();
      onEnd();
    };
    const onOutput = (chunk: string) => {
      this.#output.push(Buffer.from(chunk));
      this.#tell();
    };
    run({ signal: this.#stop.signal, onOutput }).then(
      (result) => finish(encodeValue("end", result)),
      (thrown: unknown) => finish(encodeValue("error", envelopeOf(thrown))),
    );
  }

  /** Bytes that it keeps. */
  get size(): number {
    return this.#output.total - this.#output.start + (this.#end?.length ?? 0);
  }

  cancel(): void {
    this.#orphaned?.cancel();
    this.#stop.abort();
  }

  /** Frames from an offset on; ends when the signal aborts. A command that nobody follows is ended after a while. */
  async *follow(from: number, signal: AbortSignal): AsyncGenerator<Buffer> {
    const wake = () => this.#tell();
    signal.addEventListener("abort", wake);
    this.#followers++;
    this.#orphaned?.cancel();
    try {
      // So that the server knows that it has begun.
      yield aliveFrame;
      for (let at = from; !signal.aborted;) {
        const changed = this.#changed.promise;
        if (this.#output.total > at) {
          const offset = Math.max(at, this.#output.start);
          const data = this.#output.from(offset, frameData);
          at = offset + data.length;
          yield encodeOutput(0, offset, data);
        } else if (this.#end !== null) {
          yield this.#end;
          return;
        } else await changed;
      }
    } finally {
      signal.removeEventListener("abort", wake);
      this.#followers--;
      if (this.#followers === 0 && this.#end === null) {
        this.#orphaned = this.#clock.after(wireTimes.orphan, () => this.#stop.abort());
      }
    }
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
