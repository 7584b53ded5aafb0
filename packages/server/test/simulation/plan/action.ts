import type { BudgetOnLimit, OnBusy } from "@berth/contract";

interface Planned {
  readonly at: number;
  readonly session: number;
  readonly no: number;
  /** Not at its time, but so many milliseconds after the next summary of its session begins to be written. */
  readonly amid?: number;
}

/** What a client does, as data. `session` counts the sessions of the plan; who is not there yet, or any more, is left alone. */
export type Action = Planned &
  (
    | {
        readonly kind: "create";
        readonly keyed: boolean;
        readonly retries: boolean;
        readonly script: string | null;
      }
    | {
        readonly kind: "say";
        readonly onBusy: OnBusy;
        readonly identified: "clientId" | "key" | "none";
        readonly script: string;
      }
    | { readonly kind: "interrupt"; readonly queued: boolean }
    | {
        readonly kind:
          | "fork"
          | "rewind"
          | "retry"
          | "archive"
          | "unarchive"
          | "delete"
          | "rename"
          | "upload"
          | "remark";
      }
    /** A new version of the agent. */
    | { readonly kind: "edition" }
    /** A budget of tokens for all that is done from now on. */
    | { readonly kind: "budget"; readonly amount: number; readonly onLimit: BudgetOnLimit }
  );

/** By which number clients know the fork that an action makes. */
export function forkNumber({ session, no }: Pick<Action, "session" | "no">): number {
  return 1_000_000 * (session + 1) + no;
}

export type ActionKind = Action["kind"];
