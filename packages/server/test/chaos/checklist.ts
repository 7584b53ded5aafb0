/** What went against a rule. */
export interface Violation {
  readonly sessionId: string | null;
  readonly story: string;
}

interface Tally {
  held: number;
  readonly violations: Violation[];
}

/** The rules that were checked: how often each was seen to hold, and every case in which it did not. */
export class Checklist {
  readonly #tallies = new Map<string, Tally>();
  readonly #skipped: string[] = [];

  /** Names a rule before it is first checked, so that it is shown even when no case of it came up. */
  expectCases(...names: readonly string[]): void {
    for (const name of names) this.#of(name);
  }

  holds(name: string, times = 1): void {
    this.#of(name).held += times;
  }

  violated(name: string, story: string, sessionId: string | null = null): void {
    this.#of(name).violations.push({ sessionId, story });
  }

  /** One case of a rule. The story is only asked for when it is needed. */
  check(name: string, ok: boolean, story: () => string, sessionId: string | null = null): boolean {
    if (ok) this.holds(name);
    else this.violated(name, story(), sessionId);
    return ok;
  }

  /** What this machine, or who runs it here, does not let us check, and why. */
  skip(what: string, why: string): void {
    this.#skipped.push(`${what}: ${why}`);
  }

  get skipped(): number {
    return this.#skipped.length;
  }

  violations(name: string): readonly Violation[] {
    return this.#tallies.get(name)?.violations ?? [];
  }

  /** Sessions about which something is to be told. */
  get storied(): ReadonlySet<string> {
    const ids = [...this.#tallies.values()].flatMap(({ violations }) =>
      violations.map(({ sessionId }) => sessionId),
    );
    return new Set(ids.filter((id) => id !== null));
  }

  get passed(): number {
    return [...this.#tallies.values()].filter(({ violations }) => violations.length === 0).length;
  }

  get failed(): number {
    return this.#tallies.size - this.passed;
  }

  /** One line for each rule, and below a failed one its first stories. */
  lines(most = 5): readonly string[] {
    const skipped = this.#skipped.map((what) => `  --    not checked: ${what}`);
    const judged = [...this.#tallies].flatMap(([name, { held, violations }]) => {
      if (violations.length === 0) return [`  ok    ${name} (${held})`];
      const told = violations.slice(0, most).map(({ sessionId, story }) => {
        const indented = story.replaceAll("\n", "\n          ");
        return `        ${sessionId === null ? "" : `${sessionId}: `}${indented}`;
      });
      const more = violations.length > most ? [`        and ${violations.length - most} more`] : [];
      return [`  FAIL  ${name} (${held} held, ${violations.length} did not)`, ...told, ...more];
    });
    return [...judged, ...skipped];
  }

  #of(name: string): Tally {
    let tally = this.#tallies.get(name);
    if (tally === undefined) this.#tallies.set(name, (tally = { held: 0, violations: [] }));
    return tally;
  }
}
