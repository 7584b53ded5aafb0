/** Runs the calls of one key one after another. */
export function createTurns() {
  const last = new Map<string, Promise<unknown>>();
  return async <T>(key: string, call: () => Promise<T>): Promise<T> => {
    const before = last.get(key) ?? Promise.resolve();
    const turn = before.then(call, call);
    last.set(key, turn);
    try {
      return await turn;
    } finally {
      if (last.get(key) === turn) last.delete(key);
    }
  };
}
