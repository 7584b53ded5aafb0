import type { FailpointName } from "../../../../src/lib/failpoint.ts";
import type { AgentKind } from "../agent-kind.ts";
import type { Talk } from "../talk.ts";

/** Something that people and programs do with a session. */
export interface Activity {
  readonly name: string;
  readonly weight: number;
  /** Kinds of agents that it fits; default: all that are scripted. */
  readonly kinds?: readonly AgentKind[];
  /** Failpoints that it passes and others seldom do. */
  readonly reaches?: readonly FailpointName[];
  run(talk: Talk): Promise<void>;
}

export const scripted: readonly AgentKind[] = ["auto", "careful", "hasty", "narrow"];
