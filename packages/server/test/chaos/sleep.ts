/** Resolves after `ms`, or at once when the signal aborts. The driver lives in real time, beside a real server. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done, { once: true });
  });
}

/** Asks until the answer is true; false when it has not become so in time. */
export async function until(
  ask: () => boolean | Promise<boolean>,
  ms: number,
  everyMs = 20,
): Promise<boolean> {
  const deadline = performance.now() + ms;
  for (;;) {
    if (await ask()) return true;
    if (performance.now() >= deadline) return false;
    await sleep(everyMs);
  }
}
