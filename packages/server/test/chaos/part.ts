import type { Checklist } from "./checklist.ts";
import type { Rig, RigOptions } from "./kill-loop/rig.ts";
import type { FaultsOptions } from "./options.ts";
import type { Random } from "./random.ts";

/** What a part of the faults is given. */
export interface PartScene {
  readonly options: FaultsOptions;
  readonly random: Random;
  readonly checklist: Checklist;
  /** A line for people, without its indentation. */
  readonly say: (line: string) => void;
  /** A folder of the part's own; whoever runs the part removes it. */
  readonly rig: (options: RigOptions) => Rig;
}

export type RunPart = (scene: PartScene) => Promise<void>;
