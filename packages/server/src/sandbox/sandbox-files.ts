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

/** One entry of a tree, with what a copy of it needs. */
export interface TreeItem {
  readonly path: string;
  /** `other`: what no copy has, such as pipes, and links whose target is not text. */
  readonly kind: FileEntry["kind"];
  /** Of a file. */
  readonly size: number;
  readonly modifiedMs: number;
  /** Of a file: its owner may run it. */
  readonly executable: boolean;
  /** Of a link: what it says, which may be anything; else null. */
  readonly target: string | null;
}

/** Paths are relative to the workspace; nothing outside it is reachable, whatever links are in it. */
export interface SandboxFiles {
  stat(path: string): Promise<FileStat | null>;
  list(
    path: string,
    options?: { depth?: number; limit?: number },
  ): Promise<{ items: readonly FileEntry[]; truncated: boolean }>;
  /** Everything below a folder, each folder before its content. Links are told and never followed. `truncated`: not all of it could be told. */
  tree(
    path: string,
    options?: { limit?: number },
  ): Promise<{ items: readonly TreeItem[]; truncated: boolean }>;
  read(path: string, options?: { offset?: number; length?: number }): Promise<Uint8Array>;
  /** Makes missing folders; the file is replaced in one step. */
  write(path: string, data: Uint8Array): Promise<void>;
  /** And those that it is in. One that is there stays as it is. */
  makeFolder(path: string): Promise<void>;
  /** Makes a link, also in the place of a file or link. What it says is kept as it is and never followed, so it may lead nowhere. Rejects with `file_exists` where a folder is. */
  makeLink(path: string, target: string): Promise<void>;
  /** Whether a file may be run, by whoever may read it. */
  setExecutable(path: string, executable: boolean): Promise<void>;
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
