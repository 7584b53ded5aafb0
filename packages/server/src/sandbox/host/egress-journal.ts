import { randomBytes } from "node:crypto";
import type { Clock } from "../../lib/clock.ts";
import type { EgressDecision } from "../egress-decision.ts";
import {
  type EgressCursor,
  type EgressItem,
  egressLimits,
  type EgressNews,
  plainDecision,
} from "../protocol/egress.ts";

/** Decisions that are kept for one deployment, some 4 MB of memory; then the oldest are dropped. */
const mostKept = 10_000;
const mostDeployments = 16;
/** Sandboxes whose deployment is remembered, the ones that were called last. */
const mostOwned = 10_000;
/** A server that has not asked for so long is taken for dead, milliseconds, and another one is told. */
const leaseMs = 30_000;

/**
 * What sandboxes of this host asked for, until their servers have fetched it. It is numbered for each deployment: a server names the
 * last number that it has, and is told the same again when the answer was lost. One server of a deployment is told at a time.
 */
export interface EgressJournal {
  /** A provider's `onEgress`. */
  readonly decided: (sandboxId: string, decision: EgressDecision) => void;
  /** Whose a sandbox is, noted before it can ask for anything. */
  owned(sandboxId: string, deployment: string): void;
  /** What a deployment's reader does not have yet, oldest first. Forgets what it has. */
  read(
    deployment: string,
    asked: { readonly reader: string; readonly after?: EgressCursor | undefined },
  ): EgressNews;
}

interface Kept {
  readonly journal: string;
  readonly items: EgressItem[];
  /** Number of the first of `items`, or of the next one when there is none. */
  first: number;
  /** Up to this one its reader has them. */
  taken: number;
  reader: string | null;
  askedAt: number;
}

export function createEgressJournal({ clock }: { readonly clock: Clock }): EgressJournal {
  const owners = new Map<string, string>();
  const kept = new Map<string, Kept>();

  function keptFor(deployment: string): Kept {
    const known = kept.get(deployment);
    if (known !== undefined) return known;
    if (kept.size >= mostDeployments) kept.delete(leastAsked(kept));
    const journal = randomBytes(16).toString("hex");
    const empty = { journal, items: [], first: 1, taken: 0, reader: null, askedAt: clock.monotonic() };
    kept.set(deployment, empty);
    return empty;
  }

  return {
    decided(sandboxId, decision) {
      const deployment = owners.get(sandboxId);
      if (deployment === undefined) return;
      const here = keptFor(deployment);
      here.items.push({ sandboxId, ...plainDecision(decision) });
      if (here.items.length > mostKept) forget(here, 1);
    },
    owned(sandboxId, deployment) {
      owners.delete(sandboxId);
      const [oldest] = owners.keys();
      if (owners.size >= mostOwned && oldest !== undefined) owners.delete(oldest);
      owners.set(sandboxId, deployment);
    },
    read(deployment, { reader, after }) {
      const here = kept.get(deployment);
      if (here === undefined) return { next: null, dropped: 0, items: [] };
      const now = clock.monotonic();
      const last = here.first + here.items.length - 1;
      const known = after?.journal === here.journal ? Math.min(after.number, last) : 0;
      const has = Math.max(here.taken, known);
      const isAnothers = here.reader !== null && here.reader !== reader && now - here.askedAt < leaseMs;
      if (isAnothers) return newsOf(here, { from: has, dropped: 0, items: [] });
      Object.assign(here, { reader, askedAt: now, taken: has });
      forget(here, here.taken + 1 - here.first);
      const dropped = here.first - 1 - here.taken;
      return newsOf(here, { from: here.taken, dropped, items: here.items.slice(0, egressLimits.items) });
    },
  };
}

function newsOf(
  { journal }: Kept,
  { from, dropped, items }: { from: number; dropped: number; items: EgressItem[] },
): EgressNews {
  const next = { journal, number: from + dropped + items.length };
  return { next, dropped: Math.min(dropped, egressLimits.dropped), items };
}

function forget(kept: Kept, count: number): void {
  if (count <= 0) return;
  kept.items.splice(0, count);
  kept.first += count;
}

function leastAsked(kept: ReadonlyMap<string, Kept>): string {
  const [least] = [...kept].toSorted(([, one], [, other]) => one.askedAt - other.askedAt);
  return least?.[0] ?? "";
}
