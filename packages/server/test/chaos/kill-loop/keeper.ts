import type { Door } from "../../support/server/api.ts";
import {
  type Exit,
  lastLines,
  type ServerOptions,
  startServer,
  StartError,
  type StartingServer,
} from "../../support/server/server-process.ts";
import type { Checklist } from "../checklist.ts";
import { sleep } from "../sleep.ts";

const serverRule = "the server ends only when it is killed, and starts again on what is there";

/** How the next server is to end. */
export interface Fate {
  /** `name@n`, or null: only by time. */
  readonly failpoint: string | null;
  /** Killed after so many milliseconds when nothing else ended it; null: never. */
  readonly killAfterMs: number | null;
  /** Whether that time counts from its start or from when it is ready. */
  readonly from: "start" | "ready";
}

export type Ended = "failpoint" | "killed" | "by itself" | "stopped";

export interface KeeperOptions extends Omit<ServerOptions, "env"> {
  readonly env: Readonly<Record<string, string>>;
  readonly apiKey: string;
  readonly checklist: Checklist;
  /** Called when a server is ready, before anybody else may talk to it. */
  readonly onReady: (pid: number) => void;
}

/** Runs one server after the other on the same data folder, and tells everybody where it is now. */
export class Keeper {
  readonly #options: KeeperOptions;
  #server: StartingServer | null = null;
  #door: Door | null = null;
  #waiting: (() => void)[] = [];
  #stopping = false;
  /** Milliseconds since 1970 of each death. */
  readonly deaths: number[] = [];
  /** From start to ready, milliseconds. */
  readonly starts: number[] = [];

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** The server that runs, as soon as there is one. */
  async door(): Promise<Door> {
    while (this.#door === null) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#door;
  }

  /** How many servers have died. Two equal answers: there was no death in between. */
  get generation(): number {
    return this.deaths.length;
  }

  /** Runs one server to its end. */
  async live(fate: Fate): Promise<Ended> {
    const { checklist, logFile, onReady, apiKey } = this.#options;
    const startedAt = performance.now();
    this.#stopping = false;
    const env = { ...this.#options.env, ...(fate.failpoint !== null && { BERTH_FAILPOINT: fate.failpoint }) };
    const server = startServer({ ...this.#options, env });
    this.#server = server;
    let killed = false;
    const done = new AbortController();
    const killLater = async () => {
      if (fate.killAfterMs === null) return;
      await sleep(fate.killAfterMs, done.signal);
      if (done.signal.aborted) return;
      killed = true;
      await server.end("SIGKILL");
    };
    if (fate.from === "start") void killLater();
    try {
      const { pid, url } = await server.ready;
      this.starts.push(performance.now() - startedAt);
      onReady(pid);
      this.#open({ url, apiKey });
      if (fate.from === "ready") void killLater();
    } catch (thrown) {
      if (!(thrown instanceof StartError)) throw thrown;
      if (thrown.exit === null) checklist.violated(serverRule, thrown.message);
    }
    const exit = await server.exited;
    done.abort();
    this.#door = null;
    this.deaths.push(Date.now());
    return this.#verdict(exit, { killed, fate, logFile });
  }

  /** Ends the server in an orderly way; the life that runs resolves with `stopped`. */
  async stop(): Promise<Exit | null> {
    this.#stopping = true;
    const exit = await this.#server?.end("SIGTERM");
    return exit ?? null;
  }

  #open(door: Door): void {
    this.#door = door;
    for (const go of this.#waiting.splice(0)) go();
    this.#options.checklist.holds(serverRule);
  }

  #verdict(exit: Exit, life: { killed: boolean; fate: Fate; logFile: string }): Ended {
    if (this.#stopping) {
      this.#options.checklist.check(
        serverRule,
        exit.code === 0,
        () => `SIGTERM ended it with ${describe(exit)}: ${lastLines(life.logFile)}`,
      );
      return "stopped";
    }
    if (life.killed) return "killed";
    if (exit.signal === "SIGKILL" && life.fate.failpoint !== null) return "failpoint";
    this.#options.checklist.violated(
      serverRule,
      `it ended by itself with ${describe(exit)}:\n${lastLines(life.logFile)}`,
    );
    return "by itself";
  }
}

function describe({ code, signal }: Exit): string {
  return signal === null ? `code ${code}` : `signal ${signal}`;
}
