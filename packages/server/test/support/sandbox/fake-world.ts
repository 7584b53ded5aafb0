import { Duplex } from "node:stream";
import type { Clock } from "../../../src/lib/clock.ts";
import { BerthError } from "../../../src/lib/errors.ts";
import type {
  ExecResult,
  Sandbox,
  SandboxFiles,
  SandboxInfo,
  SandboxList,
  SandboxPolicy,
  SandboxRef,
} from "../../../src/sandbox/sandbox.ts";

type Operation =
  | "hosts"
  | "create"
  | "get"
  | "list"
  | "renew"
  | "apply"
  | "attach"
  | "destroy"
  | "connect"
  | "health"
  | "sweep";

/** What goes wrong; changed as a test goes on. */
export interface Faults {
  /** Before anything is done: may throw, or wait. */
  before: (operation: Operation, ref: SandboxRef | null) => Promise<void> | void;
  /** After it is done: a throw here leaves what was done behind. */
  after: (operation: Operation, ref: SandboxRef | null) => Promise<void> | void;
  /** What is told of a sandbox. */
  told: (info: SandboxInfo) => SandboxInfo;
  /** What is told of all of them. */
  listed: (list: SandboxList) => SandboxList;
}

export interface Instance {
  readonly ref: SandboxRef;
  readonly incarnation: string;
  readonly deployment: string;
  readonly template: string;
  workspaceId: string | null;
  policy: SandboxPolicy;
  readonly madeAt: number;
  endsAt: number;
  /** When a command in it was last broken off: one that is ended in the same moment was broken off for that. */
  brokenOffAt: number | null;
  /** Commands that go on until they are ended. */
  readonly running: Set<(reason: ExecResult["reason"]) => void>;
}

/** What there would be, wherever it is asked for. */
export class World {
  readonly #clock: Clock;
  readonly all = new Map<string, Instance>();
  readonly kept = new Map<string, Map<string, string>>();
  readonly placed = new Map<string, string>();
  readonly down = new Set<string>();
  readonly draining = new Set<string>();
  readonly full = new Set<string>();
  readonly endedBusy: { id: string; reason: string }[] = [];
  readonly destroyed: string[] = [];
  readonly faults: Faults = {
    before: () => undefined,
    after: () => undefined,
    told: (info) => info,
    listed: (list) => list,
  };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get now(): number {
    return this.#clock.monotonic();
  }

  async does<T>(operation: Operation, ref: SandboxRef | null, call: () => T): Promise<T> {
    await this.faults.before(operation, ref);
    if (ref !== null) this.reach(ref.host);
    const result = call();
    await this.faults.after(operation, ref);
    return result;
  }

  reach(host: string): void {
    if (this.down.has(host)) throw error("sandbox_host_error");
  }

  /** A host ends by itself what nobody renewed. */
  living(): Instance[] {
    for (const { ref, endsAt } of this.all.values()) if (endsAt <= this.now) this.remove(ref.id, "lost");
    return [...this.all.values()];
  }

  find(id: string): Instance | null {
    return this.living().find(({ ref }) => ref.id === id) ?? null;
  }

  found(id: string, incarnation?: string): Instance {
    const known = this.find(id);
    if (known === null) throw error("sandbox_not_found");
    if (incarnation !== undefined && known.incarnation !== incarnation) throw error("sandbox_stale");
    return known;
  }

  remove(id: string, reason: ExecResult["reason"]): void {
    const known = this.all.get(id);
    this.all.delete(id);
    for (const end of known?.running ?? []) end(reason);
  }

  told({ ref, running: _running, madeAt, endsAt, ...rest }: Instance): SandboxInfo {
    const times = { ageMs: this.now - madeAt, ttlLeftMs: endsAt - this.now };
    return this.faults.told({ ...ref, ...rest, ...times, url: `fake://${ref.host}/${ref.id}` });
  }
}

export function fakeSandbox(ref: SandboxRef, world: World): Sandbox {
  const found = () => world.found(ref.id);
  const result = (reason: ExecResult["reason"]): ExecResult => ({
    code: reason === "exit" ? 0 : null,
    signal: null,
    reason,
    output: "",
    outputBytes: 0,
    truncated: false,
    durationMs: 0,
  });
  return {
    id: ref.id,
    get files() {
      return filesOf(world.kept, world.find(ref.id)?.workspaceId ?? "");
    },
    exec: async ({ command, signal }) => {
      const here = found();
      const { running } = here;
      if (command !== "hold") return result("exit");
      return await new Promise<ExecResult>((resolve) => {
        const end = (reason: ExecResult["reason"]) => {
          running.delete(end);
          resolve(result(reason));
        };
        running.add(end);
        const breakOff = () => {
          here.brokenOffAt = world.now;
          end("killed");
        };
        signal?.addEventListener("abort", breakOff, { once: true });
      });
    },
    spawn: async ({ command }) => {
      found();
      return { id: "bg_1", command, running: true, code: null, startedAt: 0 };
    },
    processes: async () => (found(), []),
    logs: async () => null,
    attach: (_id, { signal } = {}) => {
      found();
      return silence(signal);
    },
    write: async () => undefined,
    resize: async () => undefined,
    kill: async () => (found(), false),
    listening: async () => [],
    openPort: async () => Duplex.from([]),
    metrics: async () => ({
      memoryBytes: 0,
      memoryPeakBytes: 0,
      cpuMs: 0,
      pids: 0,
      diskBytes: 0,
      oomKills: 0,
    }),
    health: () => world.does("health", ref, () => ({ ok: world.find(ref.id) !== null })),
  };
}

/** Of a process that says nothing until nobody listens any more. */
function silence(signal: AbortSignal | undefined): AsyncIterable<never> {
  const next = () =>
    new Promise<IteratorResult<never>>((resolve) => {
      const end = () => resolve({ done: true, value: undefined });
      if (signal?.aborted === true) end();
      else signal?.addEventListener("abort", end, { once: true });
    });
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

/** Enough of files to see whose they are. */
export function filesOf(
  kept: Map<string, Map<string, string>>,
  id: string,
  { folder = "", reach = () => undefined }: { folder?: string; reach?: () => void } = {},
): SandboxFiles {
  const files = () => {
    reach();
    return kept.get(id) ?? new Map<string, string>();
  };
  const at = (path: string) => (folder === "" ? path : `${folder}/${path}`);
  return {
    stat: async (path) => (files().has(at(path)) ? { kind: "file", size: 0, modifiedMs: 0 } : null),
    list: async () => ({
      items: [...files()].map(([path, text]) => ({
        path,
        kind: "file",
        size: Number(/^(\d+) bytes$/.exec(text)?.[1] ?? text.length),
        modifiedAt: text,
      })),
      truncated: false,
    }),
    tree: async () => ({
      items: [...files()].map(([path, text]) => ({
        path,
        kind: "file",
        size: Number(/^(\d+) bytes$/.exec(text)?.[1] ?? text.length),
        // Another text is another time.
        modifiedMs: Buffer.from(text).reduce((sum, byte) => (sum * 31 + byte) % 1e9, 7),
        executable: false,
        target: null,
      })),
      truncated: false,
    }),
    makeFolder: async () => undefined,
    makeLink: async () => undefined,
    setExecutable: async () => undefined,
    read: async (path) => Buffer.from(files().get(at(path)) ?? ""),
    async write(path, data) {
      files().set(at(path), Buffer.from(data).toString());
    },
    move: async () => undefined,
    remove: async (path) => files().delete(at(path)),
    glob: async () => ({ items: [...files().keys()], truncated: false }),
    grep: async () => ({ items: [], truncated: false }),
  };
}

export function error(code: string): BerthError {
  return new BerthError(code, `The fake provider says: ${code}.`, { retryable: true });
}
