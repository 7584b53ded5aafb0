import type { FileEntry } from "@berth/contract";

export interface Capabilities {
  readonly isolation: "none" | "process" | "namespace" | "gvisor" | "vm";
  /** What people are shown, for example `not isolated`. */
  readonly label: string;
  readonly reasons: readonly string[];
  /** Why no sandbox is given out at all; absent when some are. */
  readonly unavailable?: string;
}

export interface SandboxSpec {
  readonly orgId: string;
  readonly sessionId: string;
}

/** Gives out sandboxes. One per session here; allocation strategies sit on top of this port. */
export interface SandboxProvider {
  readonly kind: "none" | "local-process" | "bubblewrap" | "remote";
  probe(): Promise<Capabilities>;
  /** The session's sandbox, made when it does not exist. Idempotent. */
  connect(spec: SandboxSpec): Promise<Sandbox>;
  /** The session's sandbox if it exists; never makes one. */
  find(spec: SandboxSpec): Promise<Sandbox | null>;
  /** Ends its processes and deletes its files. Idempotent. */
  destroy(spec: SandboxSpec): Promise<"destroyed" | "absent">;
  /** Ends the session's processes and keeps its files. Idempotent; also ends what a crashed server left behind. */
  release(spec: SandboxSpec): Promise<void>;
  /** Kills processes that a crashed server left (pid and start time were recorded). Returns how many. */
  reapLeftovers(): Promise<number>;
  close(): Promise<void>;
}

export interface ExecSpec {
  /** Run by `bash -c`. */
  readonly command: string;
  /** Relative to the workspace. */
  readonly cwd?: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Called with output as it comes, both streams in order of arrival. */
  readonly onOutput?: (chunk: string) => void;
  /** Bytes of output kept: the head and the tail of it. */
  readonly maxOutputBytes?: number;
}

export interface ExecResult {
  readonly code: number | null;
  readonly signal: string | null;
  /** `killed`: by the signal or by the sandbox's end. `output_limit`: it wrote more than the provider takes. */
  readonly reason: "exit" | "timeout" | "killed" | "output_limit" | "lost";
  readonly output: string;
  /** Bytes that the process wrote in all. */
  readonly outputBytes: number;
  readonly truncated: boolean;
  readonly durationMs: number;
}

export interface BackgroundProcess {
  readonly id: string;
  readonly command: string;
  readonly running: boolean;
  readonly code: number | null;
  readonly startedAt: number;
}

export interface FileStat {
  readonly kind: FileEntry["kind"];
  readonly size: number;
  readonly modifiedMs: number;
}

export interface GrepMatch {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

/** Paths are relative to the workspace; nothing outside it is reachable, whatever links are in it. */
export interface SandboxFiles {
  stat(path: string): Promise<FileStat | null>;
  list(
    path: string,
    options?: { depth?: number; limit?: number },
  ): Promise<{ items: readonly FileEntry[]; truncated: boolean }>;
  read(path: string, options?: { offset?: number; length?: number }): Promise<Uint8Array>;
  /** Makes missing folders; the file is replaced in one step. */
  write(path: string, data: Uint8Array): Promise<void>;
  move(path: string, to: string): Promise<void>;
  /** Removes a file or a whole folder; false when there was none. */
  remove(path: string): Promise<boolean>;
  glob(
    pattern: string,
    options?: { path?: string; limit?: number },
  ): Promise<{ items: readonly string[]; truncated: boolean }>;
  /** A pattern is a regular expression run with a time limit outside the server's own thread. */
  grep(pattern: string, options?: GrepOptions): Promise<{ items: readonly GrepMatch[]; truncated: boolean }>;
}

export interface GrepOptions {
  readonly path?: string;
  readonly glob?: string;
  readonly ignoreCase?: boolean;
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

export interface Sandbox {
  readonly id: string;
  exec(spec: ExecSpec): Promise<ExecResult>;
  /** Starts a process that goes on after the call. */
  spawn(spec: { command: string; cwd?: string }): Promise<BackgroundProcess>;
  processes(): readonly BackgroundProcess[];
  /** Output of a background process from an offset on. Null when there is no such process. */
  logs(id: string, offset?: number): { text: string; nextOffset: number; process: BackgroundProcess } | null;
  /** Kills a background process and everything it started; false when there is no such process. */
  kill(id: string): Promise<boolean>;
  readonly files: SandboxFiles;
}
