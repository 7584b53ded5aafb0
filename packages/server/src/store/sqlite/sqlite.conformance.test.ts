import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createManualClock } from "../../../test/support/manual-clock.ts";
import { storeConformance } from "../store.conformance.ts";
import { openSqliteStore } from "./sqlite-store.ts";

storeConformance("sqlite", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "berth-store-"));
  const clock = createManualClock();
  const store = await openSqliteStore({ dataDir, clock });
  return {
    store,
    clock,
    async close() {
      await store.close();
      await rm(dataDir, { recursive: true });
    },
  };
});
