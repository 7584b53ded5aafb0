/**
 * Ends parts one after the other, in this order. One that fails is told and keeps none of the others from it: what they hold would keep
 * the process alive. Rejects with what the first of them failed with, when all have been ended.
 */
export async function endEach(
  ends: readonly (() => Promise<void> | void)[],
  tell: (error: unknown) => void,
): Promise<void> {
  const failed: unknown[] = [];
  for (const end of ends) {
    try {
      await end();
    } catch (error) {
      tell(error);
      failed.push(error);
    }
  }
  if (failed.length > 0) throw failed[0];
}
