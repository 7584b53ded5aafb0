import type { Clock, TimerHandle } from "../../lib/clock.ts";

/** Calls once when `progress` has been the same for a whole `ms`. */
export function whenIdle(
  clock: Clock,
  { ms, progress, call }: { readonly ms: number; readonly progress: () => number; readonly call: () => void },
): TimerHandle {
  let seen = progress();
  const look = () => {
    const now = progress();
    if (now === seen) return call();
    seen = now;
    timer = clock.after(ms, look);
  };
  let timer = clock.after(ms, look);
  return { cancel: () => timer.cancel() };
}
