import { attemptsOfEpoch } from "@berth/contract";

/** Retries and fallbacks of one model call, each an attempt of its own. */
const attemptsOfCall = 100;

/**
 * Number of the first attempt of an epoch's n-th model call, counted from 1. Followers take a higher attempt for the newer text, so it
 * rises with the calls and with the epoch. Ten million calls of an epoch, and nine million epochs, stay apart and exact.
 */
export function firstAttempt(epoch: number, call: number): number {
  return epoch * attemptsOfEpoch + call * attemptsOfCall;
}
