import type { HoldOptions } from "../workspaces/host-workspaces.ts";
import type { AgentClient } from "./agent-client.ts";
import { namelessBytes } from "./nameless-files.ts";
import type { ProcessIdentity } from "./process-identity.ts";

/** An agent, and the first process of the sandbox that it is in. */
export interface Runner {
  readonly agent: Pick<AgentClient, "endingOfCommands">;
  readonly first: ProcessIdentity;
}

/** How whatever runs commands in a workspace, now or later, is held to what may be in it. */
export function keepingTo(
  runners: ReadonlySet<Runner>,
): Required<Pick<HoldOptions, "onLook" | "namelessBytes">> {
  return {
    onLook() {
      const endings = [...runners].map(({ agent }) => agent.endingOfCommands());
      return () => {
        for (const end of endings) void end("disk_full");
      };
    },
    namelessBytes: () => namelessBytes([...runners].map(({ first }) => first.pid)),
  };
}
