import { every } from "../lib/clock.ts";
import type { Ports } from "./ports.ts";

const hour = 3_600_000;
const day = 24 * hour;
const blobsAtOnce = 1_000;

/** Forgets what has had its time: idempotency rows after 24 h, blobs that nothing has referred to for 24 h. */
export function startChores(ports: Ports): { stop(): Promise<void> } {
  const { store, blobs, clock, telemetry } = ports;
  let running: Promise<void> = Promise.resolve();
  const tidy = async () => {
    try {
      await store.system.prune({ idempotencyMs: day });
      const forgotten = await store.system.collectBlobs({ ageMs: day, limit: blobsAtOnce });
      for (const { orgId, hash } of forgotten) await blobs.delete(orgId, hash);
    } catch (error) {
      telemetry.unexpectedError({ where: "tidy", error });
    }
  };
  const timer = every(clock, hour, () => (running = tidy()));
  return {
    async stop() {
      timer.cancel();
      await running;
    },
  };
}
