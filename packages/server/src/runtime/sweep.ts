import { newId } from "../lib/id.ts";
import type { RuntimeContext } from "./context.ts";

const most = 500;

/** Finds work that nobody was told of, or whose wake-up was lost, and pushes it again: the store knows, the queue only hints (I12). */
export async function sweep(context: RuntimeContext): Promise<void> {
  const { store, queue, clock, settings } = context;
  const inputId = () => newId("input", clock.now());
  const due = await store.system.fireTimers({ limit: most, inputId });
  const orphans = await store.system.orphans({ leaseMs: settings.leaseMs, limit: most });
  for (const session of due) await queue.push({ ...session, urgent: true });
  for (const session of orphans) await queue.push(session);
}
