import { BerthError } from "../lib/errors.ts";
import type { ExecSpec, ProcessEvent, ProcessSpec, Sandbox } from "../sandbox/sandbox.ts";
import type { Held, HeldSandboxes, Sharer } from "./held-sandboxes.ts";

export interface Counting {
  readonly held: Held;
  readonly sandboxes: HeldSandboxes;
  /** Tells the server that looks after it that it is in use here. Rejects when it is no longer there. */
  readonly noteGuest: (held: Held) => Promise<void>;
  /** It is gone without having been ended by this server. */
  readonly onLost: (held: Held) => Promise<void>;
  readonly onIdle: () => void;
  readonly onCommand: (end: { reason: string; durationMs: number }) => void;
}

const goneCodes: readonly string[] = ["sandbox_not_found", "sandbox_lost", "sandbox_stale"];

/** Ended in order, or by this server: connecting again gives another one with the same files. */
export function sandboxGone(): BerthError {
  return new BerthError("sandbox_gone", "This sandbox was taken back; connect to it again.", {
    retryable: true,
  });
}

/** A session's view of its sandbox: what is run in it counts as use, and one that has ended says so. */
export class CountedSandbox implements Sandbox {
  readonly id: string;
  readonly files: Sandbox["files"];
  readonly #counting: Counting;
  readonly #sharer: () => Sharer;

  constructor(counting: Counting, sandbox: Sandbox, sharer: () => Sharer) {
    this.id = sandbox.id;
    this.files = sandbox.files;
    this.#counting = counting;
    this.#sharer = sharer;
  }

  exec(spec: ExecSpec) {
    return this.#busy(async ({ sandbox, environment, ending }) => {
      const signal =
        spec.signal === undefined ? ending.signal : AbortSignal.any([spec.signal, ending.signal]);
      const { held, onCommand, onLost } = this.#counting;
      held.commands += 1;
      const result = await sandbox
        .exec({ ...spec, signal, environment: { ...environment, ...spec.environment } })
        .finally(() => (held.commands -= 1));
      onCommand(result);
      if (result.reason === "lost") await onLost(held);
      return result;
    });
  }

  spawn(spec: ProcessSpec) {
    return this.#busy(async ({ sandbox, environment, processes }) => {
      const started = await sandbox.spawn({ ...spec, environment: { ...environment, ...spec.environment } });
      processes.add(started.id);
      return started;
    });
  }

  /** In a sandbox that sessions share: those that this one began. */
  processes() {
    return this.#look(async ({ sandbox, sessionId, processes }) => {
      const all = await sandbox.processes();
      const isShared = this.#counting.held.owner.strategy === "User-Exclusive" && sessionId !== null;
      return isShared ? all.filter(({ id }) => processes.has(id)) : all;
    });
  }

  logs(id: string, offset?: number) {
    return this.#look(({ sandbox }) => sandbox.logs(id, offset));
  }

  async *attach(
    id: string,
    options: { from?: number; signal?: AbortSignal } = {},
  ): AsyncIterable<ProcessEvent> {
    const { sandbox, ending } = this.#sharer();
    const leave = await this.#enter();
    try {
      const { signal = ending.signal } = options;
      const both = AbortSignal.any([signal, ending.signal]);
      yield* sandbox.attach(id, { ...options, signal: both });
    } catch (error) {
      throw await this.#told(error);
    } finally {
      leave();
    }
  }

  write(id: string, data: Uint8Array | null) {
    return this.#busy(({ sandbox }) => sandbox.write(id, data));
  }

  resize(id: string, size: { columns: number; rows: number }) {
    return this.#look(({ sandbox }) => sandbox.resize(id, size));
  }

  kill(id: string) {
    return this.#look(({ sandbox }) => sandbox.kill(id));
  }

  listening() {
    return this.#look(({ sandbox }) => sandbox.listening());
  }

  openPort(port: number) {
    return this.#busy(({ sandbox }) => sandbox.openPort(port));
  }

  metrics() {
    return this.#look(({ sandbox }) => sandbox.metrics());
  }

  health() {
    return this.#look(({ sandbox }) => sandbox.health());
  }

  async #busy<T>(call: (sharer: Sharer) => Promise<T>): Promise<T> {
    const leave = await this.#enter();
    try {
      return await call(this.#sharer());
    } catch (error) {
      throw await this.#told(error);
    } finally {
      leave();
    }
  }

  async #look<T>(call: (sharer: Sharer) => Promise<T>): Promise<T> {
    try {
      return await call(this.#sharer());
    } catch (error) {
      throw await this.#told(error);
    }
  }

  /** No moment lies between the look whether it is being ended and being counted. */
  async #enter(): Promise<() => void> {
    const { held, sandboxes, noteGuest, onIdle } = this.#counting;
    const sharer = this.#sharer();
    if (held.ending || sharer.ending.signal.aborted) throw sandboxGone();
    const leave = sandboxes.enter(held, sharer.sessionId);
    const done = () => {
      leave();
      if (held.busy === 0) onIdle();
    };
    try {
      if (held.guest !== null) await noteGuest(held);
    } catch (error) {
      done();
      throw error;
    }
    return done;
  }

  async #told(error: unknown): Promise<unknown> {
    const { held, onLost } = this.#counting;
    if (!(error instanceof BerthError) || !goneCodes.includes(error.code)) return error;
    if (held.ending) return sandboxGone();
    await onLost(held);
    return new BerthError(
      "sandbox_lost",
      "This sandbox was lost; connect again to get another with the same files.",
      {
        retryable: true,
        cause: error,
      },
    );
  }
}
