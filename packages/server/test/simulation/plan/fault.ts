/** Something that goes wrong, as data: a plan has many, and a story as few as it needs. Times are milliseconds since the world began. */
export type Fault =
  /**
   * Falls on a call of the process (or of any worker) at or after its time, of that operation if one is named; lets `skip` of them pass
   * first. `freeze`: the process stands still from the call on, and the call with it or not.
   */
  | {
      readonly kind:
        | "crash-before"
        | "crash-in-flight"
        | "crash-after"
        | "fail-before"
        | "fail-after"
        | "slow-call"
        | "late-answer"
        | "freeze";
      readonly at: number;
      readonly process: string;
      readonly op: string | null;
      readonly skip: number;
      readonly ms: number;
    }
  /** The process stands still, then goes on as if nothing had been. Or its heartbeats fail while everything else of it goes on. Or its wall clock jumps, and is off by `ms` from then on. */
  | {
      readonly kind: "pause" | "deaf-heart" | "clock-jump";
      readonly at: number;
      readonly process: string;
      readonly ms: number;
    }
  /** The store's wall clock jumps: it is off by `ms` from then on. */
  | { readonly kind: "store-clock-jump"; readonly at: number; readonly ms: number }
  /** For a while wake-ups, frames and questions are lost, come twice, or late and out of order; or commits are slow or refused. */
  | {
      readonly kind: "lossy" | "doubling" | "laggy" | "slow-commits" | "store-down";
      readonly at: number;
      readonly ms: number;
    }
  /** Falls on the first call of a model or a tool at or after its time; or on the first that asks for a summary. */
  | {
      readonly kind: "model-error" | "model-cut" | "model-hang" | "model-slow" | "model-retry";
      readonly at: number;
      readonly ms: number;
      readonly of?: "summary";
    }
  | {
      readonly kind: "tool-throws" | "tool-fails" | "tool-hangs" | "tool-slow";
      readonly at: number;
      readonly ms: number;
    }
  /**
   * A worker is stopped in good order, its runs having `ms` to come to their end: in the middle of one, or of a summary, or while one begins
   * and nothing else runs there. Any worker: the first of which that is true.
   */
  | {
      readonly kind: "drain";
      readonly at: number;
      readonly process: string;
      readonly ms: number;
      readonly amid: "run" | "beginning" | "summary";
    }
  /** What an operator does, or a follower suffers. */
  | {
      readonly kind: "restart-all" | "evict" | "cleanup" | "prune" | "sweep" | "cut" | "slow-reader";
      readonly at: number;
      readonly process: string;
      readonly ms: number;
    };

/** As a process: whichever it fits. */
export const anyWorker = "any worker";

export type FaultKind = Fault["kind"];
