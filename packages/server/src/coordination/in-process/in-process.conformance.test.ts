import { createManualClock } from "../../../test/support/manual-clock.ts";
import { busConformance } from "../bus.conformance.ts";
import { counterConformance } from "../counter.conformance.ts";
import { presenceConformance } from "../presence.conformance.ts";
import { queueConformance } from "../queue.conformance.ts";
import { createInProcessBus } from "./bus.ts";
import { createInProcessCounter } from "./counter.ts";
import { createInProcessPresence } from "./presence.ts";
import { createInProcessQueue } from "./queue.ts";

queueConformance("in process", async () => {
  const queue = createInProcessQueue();
  return { here: queue, there: queue, close: () => queue.close() };
});

busConformance("in process", async () => {
  const clock = createManualClock();
  const errors: unknown[] = [];
  const bus = createInProcessBus({ clock, onError: (thrown) => errors.push(thrown) });
  return { here: bus, there: bus, errors, passTime: (ms) => clock.advance(ms), close: () => bus.close() };
});

presenceConformance("in process", async () => {
  const clock = createManualClock();
  const presence = createInProcessPresence({ clock });
  return {
    here: presence,
    there: presence,
    passTime: (ms) => clock.advance(ms),
    close: () => presence.close(),
  };
});

counterConformance("in process", async () => {
  const clock = createManualClock();
  const counter = createInProcessCounter({ clock });
  return { here: counter, there: counter, passTime: (ms) => clock.advance(ms), close: () => counter.close() };
});
