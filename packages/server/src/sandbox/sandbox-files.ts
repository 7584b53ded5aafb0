import type { FileEntry } from "@berth/contract";

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
