/** Calls for each item, at most `most` at the same time. Rejects with the first that fails; no further one is begun then by its lane. */
export async function eachOf<T>(
  items: readonly T[],
  most: number,
  call: (item: T) => Promise<void>,
): Promise<void> {
  const left = items.values();
  const run = async () => {
    for (const item of left) await call(item);
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, run));
}
