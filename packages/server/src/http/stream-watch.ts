import type { Authenticator } from "../auth/authenticator.ts";
import { onAuthHint } from "../auth/auth-hints.ts";
import type { Peer } from "../auth/peer.ts";
import type { Principal } from "../auth/principal.ts";
import { invalidCredential } from "../auth/unauthenticated.ts";
import { every, type TimerHandle } from "../lib/clock.ts";
import { BerthError } from "../lib/errors.ts";
import { readableSession } from "../operations/access.ts";
import type { OperationsContext } from "../operations/context.ts";
import type { Edge } from "./edge.ts";

/** What a client holds open. */
export interface WatchedStream {
  readonly principal: Principal;
  readonly peer: Peer;
  /** The sessions that it follows now. */
  sessions(): Iterable<string>;
  /** What else it needs to go on, for who the caller is now: rejects with a refusal when it may not. */
  readonly allowed?: ((now: Principal) => Promise<unknown>) | undefined;
  /** The caller may be here no more, or is not who it was: `access_changed` when it may connect again as what it is now. */
  revoked(why: BerthError): void;
  /** The caller may see this session no more. */
  lost(sessionId: string, why: BerthError): void;
}

/** Looks at open streams again and again: a credential that is revoked or has expired, a role, a session that is no longer shared. */
export interface StreamWatch {
  /** Until the returned function is called. */
  add(stream: WatchedStream): () => void;
  /** What that function does, for whoever keeps no function for each of its streams. */
  remove(stream: WatchedStream): void;
  stop(): Promise<void>;
}

export interface StreamWatchOptions {
  readonly authenticator: Pick<Authenticator, "recheck">;
  readonly operations: OperationsContext;
  readonly edge: Edge;
}

/** How long a change may go unnoticed when its hint is lost. Milliseconds. */
const everyMs = 2_000;

export function createStreamWatch(options: StreamWatchOptions): StreamWatch {
  const { operations } = options;
  const { bus, clock, telemetry } = operations;
  const streams = new Set<WatchedStream>();
  const report = (error: unknown) => telemetry.unexpectedError({ where: "http.stream-watch", error });
  let timer: TimerHandle | null = null;
  let looking: Promise<void> = Promise.resolve();

  /** Rounds follow one another. Null: at all of them. */
  function look(orgId: string | null): Promise<void> {
    looking = looking.then(async () => {
      const chosen = [...streams].filter(({ principal }) => orgId === null || principal.orgId === orgId);
      for (const group of Map.groupBy(chosen, keyOf).values()) await lookAt(options, group).catch(report);
    });
    return looking;
  }

  const subscribed = onAuthHint(bus, ({ orgId }) => {
    if (streams.size > 0) void look(orgId);
  }).catch((error: unknown) => {
    report(error);
    return () => {};
  });

  function remove(stream: WatchedStream): void {
    streams.delete(stream);
    if (streams.size > 0) return;
    timer?.cancel();
    timer = null;
  }

  return {
    add(stream) {
      streams.add(stream);
      timer ??= every(clock, everyMs, () => look(null));
      return () => remove(stream);
    },
    remove,
    async stop() {
      timer?.cancel();
      (await subscribed)();
      await looking;
    },
  };
}

/** Streams of one credential are looked at together. */
function keyOf({ principal }: WatchedStream): string {
  const { orgId, id, credential } = principal;
  return `${credential.kind} ${credential.id} ${orgId} ${id}`;
}

async function lookAt(options: StreamWatchOptions, group: readonly WatchedStream[]): Promise<void> {
  const [first] = group;
  const now = first === undefined ? null : await options.authenticator.recheck(first.principal);
  for (const stream of group) {
    if (now === null) stream.revoked(invalidCredential());
    else if (isOther(now, stream.principal)) stream.revoked(accessChanged());
    else await lookThrough(options, stream, now);
  }
}

/** At where the caller is, and at each session that it follows. */
async function lookThrough(
  { operations, edge }: StreamWatchOptions,
  stream: WatchedStream,
  now: Principal,
): Promise<void> {
  const notHere = await refusalOf(edge.admission.checkAddress(now, stream.peer));
  if (notHere !== null) return stream.revoked(notHere);
  const notThis = stream.allowed === undefined ? null : await refusalOf(stream.allowed(now));
  if (notThis !== null) return stream.revoked(notThis);
  if (now.permissions.has("session:read") && now.permissions.has("session:manage")) return;
  for (const id of new Set(stream.sessions())) {
    const why = await refusalOf(readableSession({ context: operations, principal: now, id }));
    if (why !== null) stream.lost(id, why);
  }
}

/** Null when it is allowed. Rejects with what is no refusal: a store that does not answer ends nobody's stream. */
async function refusalOf(asked: Promise<unknown>): Promise<BerthError | null> {
  try {
    await asked;
    return null;
  } catch (error) {
    if (error instanceof BerthError && refusals.has(error.code)) return error;
    throw error;
  }
}

const refusals: ReadonlySet<string> = new Set([
  "forbidden",
  "session_not_found",
  "sandbox_not_found",
  "address_not_allowed",
]);

function isOther(now: Principal, before: Principal): boolean {
  if (now.permissions === before.permissions) return false;
  const gone = [...before.permissions].some((permission) => !now.permissions.has(permission));
  return gone || now.permissions.size !== before.permissions.size;
}

function accessChanged(): BerthError {
  return new BerthError("access_changed", "What you may do here has changed: connect again.", {
    retryable: true,
  });
}
