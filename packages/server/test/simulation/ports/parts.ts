import { createOrgShares } from "../../../src/limits/org-shares.ts";
import type { OperationsContext } from "../../../src/operations/context.ts";
import type { RuntimeContext } from "../../../src/runtime/context.ts";
import { silentTelemetry, type Telemetry } from "../../../src/telemetry/telemetry.ts";
import { asBerthError } from "../../../src/lib/errors.ts";
import type { Life } from "../engine/life.ts";
import type { Surroundings } from "../surroundings.ts";
import { blobsOf } from "./blobs.ts";
import { announcementsOf, busOf } from "./bus.ts";
import { storeOf } from "./database.ts";
import { workspacesOf } from "./files.ts";
import { modelsOf } from "./models.ts";
import { queueOf } from "./queue.ts";
import { toolsOf } from "./tools.ts";

/** Metrics are made once: they say nothing here. */
const silent = silentTelemetry();

/** The ports as one life of a process has them. */
export type Parts = Omit<RuntimeContext, "settings"> & Pick<OperationsContext, "announcements">;

export function partsOf(world: Surroundings, life: Life): Parts {
  const { clock } = life;
  const telemetry = telemetryOf(world, life);
  const store = storeOf(world.database, life, world.storeClock);
  return {
    store,
    blobs: blobsOf(world.blobs, life, store),
    queue: queueOf(world.broker, world.network, life),
    bus: busOf(world.board, world.network, life),
    announcements: announcementsOf(world.board, world.network, life),
    presence: {
      announce: (...given) => life.call("presence", () => world.presence.announce(...given)),
      leave: (...given) => life.call("presence", () => world.presence.leave(...given)),
      list: (...given) => life.call("presence", () => world.presence.list(...given)),
      async close() {},
    },
    counter: {
      takeTokens: (...given) => life.call("counter", () => world.counter.takeTokens(...given)),
      takeSlot: (...given) => life.call("counter", () => world.counter.takeSlot(...given)),
      freeSlot: (...given) => life.call("counter", () => world.counter.freeSlot(...given)),
      slotsTaken: (...given) => life.call("counter", () => world.counter.slotsTaken(...given)),
      async close() {},
    },
    shares: createOrgShares({ store, clock, telemetry }),
    clock,
    models: modelsOf(world.outside, life),
    tools: toolsOf(world.outside, life),
    sandboxes: workspacesOf(world.disk, life),
    fetch: () => Promise.reject(new Error("simulated")),
    openSecret: async () => null,
    openPort: () => Promise.reject(new Error("no previews in a simulation")),
    telemetry,
    memory: () => ({ heapUsed: 1, external: 0, arrayBuffers: 0 }),
    redact: (text) => text,
  };
}

/** What the server itself calls unexpected, and is none of the faults, is a finding. */
function telemetryOf(world: Surroundings, life: Life): Telemetry {
  return {
    ...silent,
    unexpectedError({ where, error }) {
      if (life.dead) return;
      const { code, message } = asBerthError(error);
      world.scheduler.note(life.name, `told of an error in ${where}: ${code}`);
      if (code !== "internal" || message === "simulated") return;
      const stack = error instanceof Error ? error.stack : "";
      world.fail("fault", `${life.name} met what it did not expect in ${where}: ${message}\n${stack}`);
    },
  };
}
