import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createManualClock } from "../../../test/support/manual-clock.ts";
import type { Measured } from "./measure.ts";
import { WatchedQuota } from "./watched-quota.ts";

const limits = { diskBytes: 1_000, inodes: 10 };
const fine: Measured = { bytes: 1, files: 1, complete: true, tookMs: 1 };
const moved: Measured = { ...fine, complete: false };

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "berth-watched-quota-"))));
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Watches a workspace whose measurements are these, then `fine` for ever; tells how often it was said to be full, and the order of it all. */
async function watch(measurements: readonly (Measured | Error)[], namelessBytes = 0) {
  const clock = createManualClock();
  let at = 0;
  const order: string[] = [];
  const measurer = {
    async measure() {
      order.push("measured");
      const next = measurements[at++] ?? fine;
      if (next instanceof Error) throw next;
      return next;
    },
  };
  const quota = new WatchedQuota({ clock, folder, measurer });
  await quota.setLimits("w", limits);
  const end = new AbortController();
  const told = { full: 0, failed: 0 };
  const watching = quota.watch({
    id: "w",
    root: folder,
    onLook() {
      const look = order.push("begun");
      return () => {
        order.push(`full since ${look}`);
        told.full++;
      };
    },
    onError: () => told.failed++,
    namelessBytes: async () => namelessBytes,
    signal: end.signal,
  });
  await expect
    .poll(async () => {
      await clock.advance(1_000_000);
      return at;
    })
    .toBeGreaterThan(measurements.length);
  end.abort();
  await watching;
  return { ...told, order };
}

it("SBX-10 takes a tree that cannot be measured three times in a row for full", async () => {
  expect(await watch([moved, moved, fine, moved, moved])).toMatchObject({ full: 0 });
  expect(await watch([moved, moved, moved])).toMatchObject({ full: 1 });
});

it("SBX-10 says of a look, before it begins, what it is to end: what begins meanwhile may have found it emptied", async () => {
  const over = { ...fine, bytes: 1_001 };
  const { order } = await watch([over, fine, over]);
  const first = ["begun", "measured", "full since 1"];
  expect(order.slice(0, 8)).toEqual([...first, "begun", "measured", "begun", "measured", "full since 6"]);
});

it("SBX-10 goes on when a measurement fails", async () => {
  const failed = new Error("the thread ended");
  const over = { ...fine, bytes: 1_001, complete: false };
  expect(await watch([failed, over])).toMatchObject({ full: 1, failed: 1 });
});

it("SBX-10 counts files that have no name any more", async () => {
  expect((await watch([], 1_000)).full).toBeGreaterThan(0);
});
