import type { SessionEvent } from "@berth/contract";
import { hintTopic, type SessionFrame, sessionTopic } from "../coordination/session-frames.ts";
import { asBerthError, BerthError } from "../lib/errors.ts";
import { failpoint } from "../lib/failpoint.ts";
import { pause } from "../lib/clock.ts";
import { blobsOf, project } from "../session/project.ts";
import { statusOf } from "../session/state.ts";
import type { StoredEvent } from "../store/records.ts";
import type { Blocking, Overrun, Reserve } from "../store/budgets.ts";
import type { AppendOutcome, SessionCommit } from "../store/store.ts";
import type { Held, RuntimeContext } from "./context.ts";
import type { Draft } from "./draft.ts";
import type { Heartbeat } from "./heartbeat.ts";
import { fenced } from "./held-still.ts";
import type { WaitingInput } from "./session-at-work.ts";
import { tellBusiness } from "./tell-business.ts";

/** Pause before a commit that the store could not take is tried again. Milliseconds. */
const retryMs = 500;

/** What budgets say to a commit: what is in its way, or what is to be told of. */
export type Judged =
  | { readonly ok: true; readonly overruns: readonly Overrun[] }
  | { readonly ok: false; readonly blocking: readonly Blocking[] };

/** The announced input that a draft takes was not accepted, or is not the next one: nothing was written. */
export class NotAccepted extends Error {}

/** Writes drafts to the log under the session's epoch, and tells the bus what was committed. */
export class Committer {
  readonly #context: RuntimeContext;
  readonly #heartbeat: Heartbeat;
  readonly #held: Held;

  constructor(context: RuntimeContext, heartbeat: Heartbeat, held: Held) {
    this.#context = context;
    this.#heartbeat = heartbeat;
    this.#held = held;
  }

  /**
   * Commits a draft. While the store is full or away it is tried again as long as the lease holds.
   * Rejects with `fenced` or `lease_lost` (stop at once), `event_too_large`, or what is wrong with the store. `mailbox` holds at
   * least the inputs that the draft takes. Says what came of its budgets: with anything that blocks, nothing was written. `takesNext`: what it
   * takes was announced and not read; it rejects with `NotAccepted` when the store knows better.
   */
  async commit(
    draft: Draft,
    mailbox: readonly WaitingInput[],
    { takesNext = false }: { readonly takesNext?: boolean } = {},
  ): Promise<Judged> {
    const events = draft.events.map(encode);
    const commit: SessionCommit = {
      ...this.#held,
      expectedSeq: draft.before.seq,
      events,
      taken: draft.taken,
      ...(takesNext && { takesNext }),
      projection: project(draft.before, draft.events, draft.state, mailbox),
      blobs: [...new Set([...blobsOf(draft.events), ...draft.blobs])],
      ...newestVersion(draft.events),
      ...callsOf(draft),
    };
    const outcome = await this.#append(commit);
    if (!outcome.ok && outcome.reason === "budget") return { ok: false, blocking: outcome.blocking };
    if (!outcome.ok && outcome.reason === "duplicate_input" && takesNext) throw new NotAccepted();
    this.#accept(outcome);
    failpoint("runtime.before-publish");
    this.#publish(draft, events);
    failpoint("runtime.after-publish");
    return { ok: true, overruns: (outcome.ok && outcome.overruns) || [] };
  }

  /** Begins calls that no event tells of. Rejects as `commit` does. */
  async reserve(reserves: readonly Reserve[]): Promise<Judged> {
    this.#heartbeat.assertFresh();
    const outcome = await this.#context.store.lane.reserve({ ...this.#held, settles: [], reserves });
    if (!outcome.ok && outcome.reason === "budget") return { ok: false, blocking: outcome.blocking };
    this.#accept(outcome);
    return { ok: true, overruns: (outcome.ok && outcome.overruns) || [] };
  }

  async #append(commit: SessionCommit): Promise<AppendOutcome> {
    for (;;) {
      this.#heartbeat.assertFresh();
      try {
        return await this.#context.store.lane.append(commit);
      } catch (thrown) {
        const error = asBerthError(thrown);
        if (!error.retryable) throw error;
        const { orgId, sessionId } = this.#held;
        this.#context.telemetry.unexpectedError({ where: "commit", error, orgId, sessionId });
        await pause(this.#context.clock, retryMs);
      }
    }
  }

  #accept(outcome: AppendOutcome): void {
    if (outcome.ok) return;
    if (outcome.reason === "too_large") {
      throw new BerthError("event_too_large", "An event of this step is larger than the log takes.");
    }
    throw fenced(outcome.reason);
  }

  #publish(draft: Draft, events: readonly StoredEvent[]): void {
    const { orgId, sessionId } = this.#held;
    const { bus, telemetry } = this.#context;
    bus.publish(sessionTopic(orgId, sessionId), { kind: "events", events } satisfies SessionFrame);
    const asks = draft.events.some(
      (event) => event.type.startsWith("approval.") || event.type === "run.finished",
    );
    if (asks) bus.publish(hintTopic(orgId, "approvals"), { sessionId });
    if (statusOf(draft.before) !== statusOf(draft.state))
      bus.publish(hintTopic(orgId, "sessions"), { sessionId });
    telemetry.metrics.eventsAppended.inc(draft.events.length);
    for (const event of draft.events) tellBusiness(telemetry, orgId, event);
  }
}

/** A step that ends in the draft in which it began was never called. */
function callsOf({ settles, reserves }: Draft): Pick<SessionCommit, "settles" | "reserves"> {
  const ended = new Set(settles.map(({ call }) => call));
  const begun = reserves.filter(({ call }) => !ended.has(call));
  return {
    ...(settles.length > 0 && { settles }),
    ...(begun.length > 0 && { reserves: begun }),
  };
}

function encode(event: SessionEvent): StoredEvent {
  return { seq: event.seq, type: event.type, json: JSON.stringify(event) };
}

function newestVersion(events: readonly SessionEvent[]): { maxEventVersion?: number } {
  let newest = 1;
  for (const event of events) if (event.v > newest) newest = event.v;
  return newest > 1 ? { maxEventVersion: newest } : {};
}
