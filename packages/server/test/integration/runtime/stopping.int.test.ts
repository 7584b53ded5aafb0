import { afterEach, expect, it } from "vitest";
import { BerthError } from "../../../src/lib/errors.ts";
import { Harness } from "../../support/runtime/harness.ts";

let harness: Harness | null = null;
afterEach(async () => {
  await harness?.close();
  harness = null;
});

it("a worker that stops ends the work of all its sessions, although one cannot let go of its sandbox", async () => {
  let asked = 0;
  let ended = 0;
  const h = (harness = await Harness.open({
    async *answer(_, signal) {
      asked += 1;
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      ended += 1;
      yield [{ type: "error", error: { code: "aborted", message: "aborted", retryable: false } }];
    },
  }));
  const agent = await h.agent();
  const [first, second] = [await h.session(agent), await h.session(agent)];
  await h.say(first, "hi");
  await h.until(first, () => asked === 1);
  await h.say(second, "hi");
  await h.until(second, () => asked === 2);
  const { sandboxes } = h.context;
  const release = sandboxes.release.bind(sandboxes);
  const broken: typeof release = (place) =>
    place.sessionId === first
      ? Promise.reject(new BerthError("store_unavailable", "The disk is read-only.", { retryable: true }))
      : release(place);
  Object.assign(sandboxes, { release: broken });
  await expect(h.worker.stop(0)).rejects.toThrow("read-only");
  expect(ended).toBe(2);
  for (const session of [first, second])
    expect((await h.context.store.session(h.orgId, session).find())?.holder).toBeNull();
});
