import type { Clock } from "../../lib/clock.ts";
import { asBerthError } from "../../lib/errors.ts";
import { hostCalls } from "../protocol/host-calls.ts";
import type { Heartbeat } from "../protocol/shapes.ts";
import { isolates } from "../protocol/isolates.ts";
import type { Capabilities, SandboxHostInfo } from "../sandbox.ts";
import type { EgressFeed } from "./egress-feed.ts";
import type { HostClient } from "./host-client.ts";

/** A host and what is known of it. */
export interface WatchedHost {
  readonly name: string;
  readonly client: HostClient;
  /** What its sandboxes asked for; null: nobody wants to know. */
  readonly egress: EgressFeed | null;
  info(): SandboxHostInfo;
  /** Null while it has not said. */
  capabilities(): Capabilities | null;
  /** Asks how it is; one that answers is asked for news of egress too, which is not waited for. Never rejects. */
  beat(): Promise<void>;
  /** What is known without asking: a sandbox more or less there, until the next beat. */
  note(change: { readonly live: 1 | -1; readonly memoryBytes: number }): void;
}

/** Beats missed one after another until it counts as unhealthy. */
const missesAllowed = 2;
/** How long what it can give is taken as known, milliseconds. */
const capabilitiesMs = 60_000;

export function watchHost(options: {
  readonly client: HostClient;
  readonly egress: EgressFeed | null;
  readonly clock: Clock;
  /** Only hosts that isolate are used. */
  readonly isolated: boolean;
  readonly deployment: string;
}): WatchedHost {
  const { client, egress, clock, isolated, deployment } = options;
  const { name, url } = client.address;
  let last: Heartbeat | null = null;
  let misses = 0;
  let problem: string | null = "It has not answered yet.";
  let given: { readonly capabilities: Capabilities; readonly at: number } | null = null;

  const call = { args: {}, id: "", deployment };
  async function ask(): Promise<string | null> {
    const beat = await client.call(hostCalls.heartbeat, call);
    if (given === null || problem !== null || clock.monotonic() - given.at > capabilitiesMs) {
      given = { capabilities: await client.call(hostCalls.probe, call), at: clock.monotonic() };
    }
    last = beat;
    if (beat.name !== name) return `It calls itself ${beat.name}: name it so in sandboxHosts.`;
    if (isolated && !isolates(given.capabilities)) {
      return `It does not isolate (${given.capabilities.label}), and mode multi needs that.`;
    }
    return beat.healthy ? null : (beat.problem ?? "It says that it is not well.");
  }

  return {
    name,
    client,
    egress,
    capabilities: () => given?.capabilities ?? null,
    async beat() {
      try {
        problem = await ask();
        misses = 0;
        void egress?.read();
      } catch (thrown) {
        misses++;
        if (last === null || misses >= missesAllowed) problem = asBerthError(thrown).message;
      }
    },
    info: () => ({
      name,
      url: url.origin,
      healthy: problem === null,
      draining: last?.draining ?? false,
      live: last?.live ?? 0,
      freeMemoryBytes: last?.freeMemoryBytes ?? 0,
      freeSlots: last?.freeSlots ?? 0,
      ...(problem !== null && { problem }),
    }),
    note({ live, memoryBytes }) {
      if (last === null) return;
      last = {
        ...last,
        live: Math.max(0, last.live + live),
        freeSlots: Math.max(0, last.freeSlots - live),
        freeMemoryBytes: Math.max(0, last.freeMemoryBytes - live * memoryBytes),
      };
    },
  };
}
