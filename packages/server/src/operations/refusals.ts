import type { Clock, TimerHandle } from "../lib/clock.ts";
import { newId } from "../lib/id.ts";
import type { AuditDraft } from "../store/audit.ts";
import type { Store } from "../store/store.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";

/** Somebody who is known asked for what it may not have, or for what is not there for it. */
export interface Refusal {
  readonly orgId: string;
  readonly actor: AuditDraft["actor"];
  readonly credential: string | null;
  /** The route's template with its method, or `ws` and the frame's operation. */
  readonly route: string;
  /** Code of the error that was answered. */
  readonly code: string;
  readonly target: AuditDraft["target"];
  readonly requestId: string | null;
  readonly address: string | null;
}

/** Puts refused accesses into the audit log. */
export interface Refusals {
  /** Rejects when the entry cannot be written: then the request fails too. */
  note(refusal: Refusal): Promise<void>;
  /** Writes what was summed and counts no more. */
  stop(): Promise<void>;
}

interface Minute {
  count: number;
  /** Of those that have no entry of their own. */
  summed: number;
  last: Refusal;
}

const minuteMs = 60_000;
/** Of one principal, route and minute; what comes after them is summed. */
const written = 10;
/** Principals and routes that are told apart in a minute. */
const most = 10_000;

/** The first ten of a principal, route and minute are entries of their own; at the minute's end the others are one, with their count. */
export function createRefusals(options: {
  readonly store: Pick<Store, "org">;
  readonly clock: Clock;
  readonly telemetry: Pick<Telemetry, "unexpectedError">;
}): Refusals {
  const { store, clock, telemetry } = options;
  let minutes = new Map<string, Minute>();
  let timer: TimerHandle | null = null;
  let writing: Promise<void> = Promise.resolve();

  const write = (refusal: Refusal, count: number) =>
    store.org(refusal.orgId).audit.append(entryOf(refusal, count, clock.now()));

  function endMinute(): Promise<void> {
    timer?.cancel();
    timer = null;
    const over = [...minutes.values()].filter(({ summed }) => summed > 0);
    minutes = new Map();
    writing = writing.then(async () => {
      for (const { last, summed } of over) {
        await write(last, summed).catch((error: unknown) =>
          telemetry.unexpectedError({ where: "refusals", error, orgId: last.orgId }),
        );
      }
    });
    return writing;
  }

  return {
    async note(refusal) {
      timer ??= clock.after(minuteMs, () => void endMinute());
      const { orgId, actor, route } = refusal;
      const key = minutes.size < most ? `${orgId} ${actor.type} ${actor.id} ${route}` : orgId;
      const minute = minutes.get(key) ?? { count: 0, summed: 0, last: refusal };
      minutes.set(key, minute);
      minute.count += 1;
      minute.last = refusal;
      if (minute.count > written) minute.summed += 1;
      else await write(refusal, 1);
    },
    stop: endMinute,
  };
}

function entryOf(refusal: Refusal, count: number, now: number): AuditDraft {
  const { actor, credential, route, code, target, requestId, address } = refusal;
  const many = count > 1;
  return {
    id: newId("audit", now),
    actor,
    credential,
    action: "access.refused",
    target: many ? null : target,
    outcome: "refused",
    requestId: many ? null : requestId,
    address,
    details: { route, code, count },
  };
}
