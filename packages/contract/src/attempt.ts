/**
 * How many numbers the attempts of one epoch have to themselves: those that a holder of a session makes are above all those of the
 * holders before it.
 */
export const attemptsOfEpoch = 1_000_000_000;

/** The epoch in which an attempt was begun; `session.resumed` names the epoch that goes on, and all before it are over. */
export function epochOfAttempt(attempt: number): number {
  return Math.floor(attempt / attemptsOfEpoch);
}
