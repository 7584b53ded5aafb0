import type { Capabilities } from "../../src/sandbox/sandbox.ts";

/** What a command came to. */
export interface Ran {
  readonly code: number | null;
  readonly reason: string;
  readonly output: string;
  readonly outputBytes: number;
}

export interface RunOptions {
  readonly stdin?: string;
  readonly timeoutMs?: number;
}

/** Something that runs commands: a sandbox, or the host itself where a detector is proven. */
export interface Runner {
  run(command: string, options?: RunOptions): Promise<Ran>;
}

/** The files of a workspace, from outside. Each rejects, or answers null, instead of going outside of it. */
export interface RemoteFiles {
  read(path: string): Promise<string>;
  write(path: string, text: string): Promise<void>;
  list(path: string): Promise<readonly string[]>;
  move(path: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  glob(pattern: string, path: string): Promise<readonly string[]>;
  grep(pattern: string, path: string): Promise<readonly string[]>;
  /** Unpacks a tar archive at the top. */
  extract(archive: Uint8Array<ArrayBuffer>): Promise<unknown>;
}

/** A session with its sandbox. */
export interface Tenant extends Runner {
  readonly org: string;
  readonly files: RemoteFiles;
  /** Deletes the session with all that it has. Idempotent. */
  end(): Promise<void>;
}

export interface TenantWish {
  /** MiB. */
  readonly memory?: number;
  /** MiB. */
  readonly disk?: number;
  /** Of one of two organizations. */
  readonly org?: 0 | 1;
}

/** What an attack is run against. */
export interface Target {
  /** As the table shows it, for example `bubblewrap, multi`. */
  readonly name: string;
  readonly caps: Capabilities;
  /** A new session with its sandbox. */
  tenant(wish?: TenantWish): Promise<Tenant>;
  /** Bytes of memory that the server holds now. */
  serverBytes(): Promise<number>;
  /** Texts that nobody in a sandbox may find: keys of the server, names of organizations. */
  readonly secrets: readonly string[];
  /** A folder of the server outside of every workspace. */
  readonly outside: string;
  /** A request to the server as the first organization, whose path below `/api/v1` is sent as it is. */
  request(path: string, body?: unknown): Promise<{ readonly status: number; readonly text: string }>;
  /** One more server, with other settings. Rejects when it does not start. */
  another(change: {
    readonly mode?: "single" | "multi";
    readonly settings: Readonly<Record<string, string>>;
    /** Done to its data folder before it starts. */
    readonly prepare?: (dataDir: string) => Promise<void>;
  }): Promise<Target>;
  close(): Promise<void>;
}
