import type { Counter } from "../../src/coordination/counter.ts";
import type { Presence } from "../../src/coordination/presence.ts";
import type { Queue } from "../../src/coordination/queue.ts";
import type { Clock } from "../../src/lib/clock.ts";
import type { RuntimeSettings } from "../../src/runtime/context.ts";
import type { Random } from "../chaos/random.ts";
import type { Faults } from "./engine/faults.ts";
import type { Scheduler } from "./engine/scheduler.ts";
import type { BlobShelf } from "./ports/blobs.ts";
import type { Switchboard } from "./ports/bus.ts";
import type { Database } from "./ports/database.ts";
import type { Disk } from "./ports/files.ts";
import type { Network } from "./ports/network.ts";
import type { Outside } from "./ports/outside.ts";
import type { Template } from "./template.ts";

/** What processes find around them, and what outlives them. */
export interface Surroundings {
  readonly template: Template;
  readonly epochMs: number;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly faults: Faults;
  readonly network: Network;
  readonly database: Database;
  readonly board: Switchboard;
  readonly broker: Queue;
  readonly presence: Presence;
  readonly counter: Counter;
  readonly blobs: BlobShelf;
  readonly disk: Disk;
  readonly outside: Outside;
  readonly storeClock: Clock;
  readonly runtimeSettings: RuntimeSettings;
  /** No more faults: everything shall come to rest. */
  readonly resting: boolean;
  fail(invariant: string, message: string): void;
}
