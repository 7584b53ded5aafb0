import type { AnnouncedInput, Announcements } from "../announcements.ts";

/** Announcements between the roles of one process. */
export function createInProcessAnnouncements(): Announcements {
  const listeners = new Map<string, (input: AnnouncedInput) => void>();
  return {
    tell: (workerId, input) => listeners.get(workerId)?.(input),
    listen(workerId, call) {
      listeners.set(workerId, call);
      return () => void listeners.delete(workerId);
    },
  };
}
