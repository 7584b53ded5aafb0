import type { OnBusy } from "@berth/contract";

/** What a client does, as data. `session` counts the sessions of the plan; who is not there yet, or any more, is left alone. */
export type Action = { readonly at: number; readonly session: number; readonly no: number } & (
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
);

/** By which number clients know the fork that an action makes. */
export function forkNumber({ session, no }: Pick<Action, "session" | "no">): number {
  return 1_000_000 * (session + 1) + no;
}

export type ActionKind = Action["kind"];
