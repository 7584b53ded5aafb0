import type { AnnouncedInput } from "../coordination/announcements.ts";

/** An input that was announced to a session at rest: from its announcement until a commit has taken it, or the turn that could have is over. */
export class Announced {
  #waiting: AnnouncedInput | null = null;
  #offered: AnnouncedInput | null = null;
  #lastTaken: string | null = null;

  set(input: AnnouncedInput): void {
    this.#waiting = input;
  }

  /** For the turn that takes it, which does so once. */
  take(): AnnouncedInput | null {
    this.#offered = this.#waiting;
    this.#waiting = null;
    return this.#offered;
  }

  isTakenBy(inputIds: readonly string[]): boolean {
    return this.#offered !== null && inputIds.includes(this.#offered.id);
  }

  committed(inputIds: readonly string[]): void {
    if (!this.isTakenBy(inputIds)) return;
    this.#lastTaken = this.#offered?.id ?? null;
    this.#offered = null;
  }

  /** True when a wake-up for these says nothing new: they were taken last, or the turn that is under way will take them or read the mailbox. */
  covers(inputIds: readonly string[]): boolean {
    const known = [this.#waiting?.id, this.#offered?.id, this.#lastTaken];
    return inputIds.length > 0 && inputIds.every((id) => known.includes(id));
  }

  /** Forgets what was not taken. True when there was such: only the mailbox tells what became of it. */
  endTurn(): boolean {
    const left = this.#waiting !== null || this.#offered !== null;
    this.#waiting = null;
    this.#offered = null;
    return left;
  }
}
