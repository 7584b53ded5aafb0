/** Somebody's place in a line. */
export interface Place {
  /** Groups go by their weights. */
  readonly group: string;
  /** Within a group, lanes take turns. */
  readonly lane: string;
  /** Unique within the group. */
  readonly key: string;
}

interface Group<T> {
  /** Grows by 1/weight with each turn: the lowest is next. */
  pass: number;
  readonly lanes: Map<string, Map<string, T>>;
  readonly laneOf: Map<string, string>;
}

export interface Choice {
  /** Whose turn it cannot be now. */
  readonly admits?: (group: string) => boolean;
  /** Goes before the turns: the group with the least is next. */
  readonly rank?: (group: string) => number;
}

/** How many groups that have left are remembered before those are forgotten whose turn has come round. */
const fewRemembered = 1_000;

/**
 * A line in which groups come by turns, as often as their weights say, however much one of them has piled up; within a group lanes
 * take turns, and a lane is served in the order of arrival. A group that leaves and comes back has its turn when it would have had it.
 */
export class FairLine<T> {
  readonly #weightOf: (group: string) => number;
  /** In the order in which their turns come round. */
  readonly #groups = new Map<string, Group<T>>();
  readonly #remembered = new Map<string, number>();
  #time = 0;
  #size = 0;

  constructor(weightOf: (group: string) => number = () => 1) {
    this.#weightOf = weightOf;
  }

  get size(): number {
    return this.#size;
  }

  /** How many of a group wait. */
  count(group: string): number {
    return this.#groups.get(group)?.laneOf.size ?? 0;
  }

  groups(): IterableIterator<string> {
    return this.#groups.keys();
  }

  has({ group, key }: Pick<Place, "group" | "key">): boolean {
    return this.#groups.get(group)?.laneOf.has(key) === true;
  }

  /** Joins the line; who is in it already keeps the place. */
  add({ group: name, lane, key }: Place, item: T): void {
    const group = this.#groups.get(name) ?? this.#join(name);
    if (group.laneOf.has(key)) return;
    group.laneOf.set(key, lane);
    const items = group.lanes.get(lane) ?? new Map<string, T>();
    group.lanes.set(lane, items.set(key, item));
    this.#size += 1;
  }

  /** Leaves the line without a turn. */
  remove({ group: name, key }: Pick<Place, "group" | "key">): void {
    const group = this.#groups.get(name);
    const lane = group?.laneOf.get(key);
    if (group === undefined || lane === undefined) return;
    this.#drop(group, lane, key);
    if (group.laneOf.size === 0) this.#leave(name, group);
  }

  /** Whose turn it is; null when nobody is let in. */
  take(choice: Choice = {}): T | null {
    const name = this.#next(choice);
    const group = name === null ? undefined : this.#groups.get(name);
    if (name === null || group === undefined) return null;
    for (const [lane, items] of group.lanes) {
      for (const [key, item] of items) {
        this.#drop(group, lane, key);
        // The lane goes behind the group's others, and the group behind the others.
        if (items.size > 0) {
          group.lanes.delete(lane);
          group.lanes.set(lane, items);
        }
        this.#time = Math.max(this.#time, group.pass);
        group.pass = Math.max(this.#time, group.pass) + 1 / this.#weightOf(name);
        this.#groups.delete(name);
        if (group.laneOf.size > 0) this.#groups.set(name, group);
        else this.#leave(name, group);
        return item;
      }
    }
    return null;
  }

  clear(): void {
    this.#groups.clear();
    this.#remembered.clear();
    this.#size = 0;
  }

  #next({ admits = () => true, rank }: Choice): string | null {
    let best: { name: string; rank: number; pass: number } | null = null;
    for (const [name, { pass }] of this.#groups) {
      if (!admits(name)) continue;
      // Nobody has an earlier turn than now.
      if (rank === undefined && pass <= this.#time) return name;
      const own = rank?.(name) ?? 0;
      if (best === null || own < best.rank || (own === best.rank && pass < best.pass)) {
        best = { name, rank: own, pass };
      }
    }
    return best?.name ?? null;
  }

  #join(name: string): Group<T> {
    const pass = Math.max(this.#time, this.#remembered.get(name) ?? 0);
    this.#remembered.delete(name);
    const group: Group<T> = { pass, lanes: new Map(), laneOf: new Map() };
    this.#groups.set(name, group);
    return group;
  }

  #drop(group: Group<T>, lane: string, key: string): void {
    const items = group.lanes.get(lane);
    items?.delete(key);
    if (items?.size === 0) group.lanes.delete(lane);
    group.laneOf.delete(key);
    this.#size -= 1;
  }

  #leave(name: string, { pass }: Group<T>): void {
    this.#groups.delete(name);
    if (pass > this.#time) this.#remembered.set(name, pass);
    if (this.#remembered.size < fewRemembered) return;
    for (const [other, its] of this.#remembered) if (its <= this.#time) this.#remembered.delete(other);
  }
}
