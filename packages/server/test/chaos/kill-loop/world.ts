import type { Checklist } from "../checklist.ts";
import type { OpenFollow } from "../followers/frame.ts";
import type { Follower } from "../followers/follower.ts";
import type { Random } from "../random.ts";
import type { Caller } from "./caller.ts";
import type { Keeper } from "./keeper.ts";
import type { Ledger } from "./ledger.ts";
import type { OnceFile } from "./script.ts";

/** A session that is talked to. */
interface Talked {
  readonly id: string;
  unfollow(): Promise<void>;
}

/** What all actors of the kill loop share. */
export interface World {
  readonly keeper: Keeper;
  readonly caller: Caller;
  readonly ledger: Ledger;
  readonly checklist: Checklist;
  readonly random: Random;
  readonly once: OnceFile;
  /** No new activity is begun after it aborts. */
  readonly stopping: AbortSignal;
  /** Every session that is talked to. */
  readonly talks: Talked[];
  /** Every follower that there ever was, also those that have stopped. */
  readonly followers: Follower[];
  /** Something that goes on by itself, to be waited for at the end. What it throws is a fault of the driver. */
  track(work: Promise<unknown>): void;
  /** A transport for the next follower; the server allows one caller few connections. */
  transport(random: Random): { readonly name: string; readonly open: OpenFollow; readonly give: () => void };
}
