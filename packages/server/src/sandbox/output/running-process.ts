import type { EndReason } from "../sandbox.ts";

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
  /** Why, where whoever ran it knows more than its exit: `oom`, `lost`, `killed`. Default: `exit`. */
  readonly reason?: EndReason;
}

/** A command and everything that it started, wherever it runs. */
export interface RunningProcess {
  /** Ends all of it; resolves when nothing of it is left. */
  kill(): Promise<void>;
  /** By then everything that it started has been ended too and all output was given. Never rejects. */
  readonly ended: Promise<ProcessEnd>;
  /** Types; null closes its input. Absent: it has no input. */
  write?(data: Uint8Array | null): Promise<void>;
  /** Absent: it has no terminal. */
  resize?(size: { columns: number; rows: number }): Promise<void>;
}

/** Starts one; its output comes by `onOutput`, the last of it before `ended`. A chunk is the callee's to read, not to keep. */
export type StartProcess = (onOutput: (chunk: Buffer) => void) => Promise<RunningProcess>;
