import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../lib/clock.ts";
import { BerthError } from "../lib/errors.ts";
import type { Principal } from "./principal.ts";

export interface Tickets {
  /** A ticket that stands for the principal once. `expiresAt` is in milliseconds since 1970. Throws `too_many_tickets`. */
  issue(principal: Principal): { readonly ticket: string; readonly expiresAt: number };
  /** Whose ticket it is; from then on it is used up. Throws `invalid_ticket`, also for one that has expired. */
  redeem(ticket: string): Principal;
}

export interface TicketOptions {
  readonly clock: Clock;
  readonly ttlMs?: number;
  /** How many may be out at once. */
  readonly limit?: number;
}

interface Issued {
  readonly principal: Principal;
  /** On the monotonic clock. */
  readonly until: number;
}

/**
 * Tickets for what can send no header, a browser's WebSocket: they go into the URL, so they are short-lived and work once. Kept in
 * this process by their digest.
 */
export function createTickets({ clock, ttlMs = 30_000, limit = 10_000 }: TicketOptions): Tickets {
  // In the order of issue, which is the order of expiry.
  const issued = new Map<string, Issued>();

  function forgetExpired(): void {
    const now = clock.monotonic();
    for (const [digest, { until }] of issued) {
      if (until > now) return;
      issued.delete(digest);
    }
  }

  return {
    issue(principal) {
      forgetExpired();
      if (issued.size >= limit) {
        throw new BerthError("too_many_tickets", "too many tickets are out: try again in some seconds", {
          retryable: true,
        });
      }
      const ticket = `tkt_${randomBytes(32).toString("base64url")}`;
      issued.set(digestOf(ticket), { principal, until: clock.monotonic() + ttlMs });
      return { ticket, expiresAt: clock.now() + ttlMs };
    },

    redeem(ticket) {
      forgetExpired();
      const digest = digestOf(ticket);
      const found = issued.get(digest);
      if (found === undefined) {
        throw new BerthError(
          "invalid_ticket",
          "this ticket was used or has expired: get a new one with POST /api/v1/tickets",
        );
      }
      issued.delete(digest);
      return found.principal;
    },
  };
}

function digestOf(ticket: string): string {
  return createHash("sha256").update(ticket).digest("base64");
}
