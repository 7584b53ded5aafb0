import type { SessionHandle } from "@berth/client";

/** Ends one run when it is asked to, also when that is before the server has named the run. */
export interface Interrupter {
  /** The person wants the run to end. */
  readonly pressed: boolean;
  /** The server has taken the message. */
  accepted(runId: string | null): void;
  /** Resolves when the interrupt is accepted, or at once when there is nothing to interrupt yet: then it follows. */
  press(signal?: AbortSignal): Promise<void>;
}

export function createInterrupter(session: SessionHandle, onFailure: () => void): Interrupter {
  let known = false;
  let pressed = false;
  let run: string | null = null;

  async function send(signal?: AbortSignal): Promise<void> {
    try {
      await session.interrupt({
        ...(run !== null && { runId: run }),
        ...(signal !== undefined && { signal }),
      });
    } catch {
      onFailure();
    }
  }

  return {
    get pressed() {
      return pressed;
    },
    accepted(runId) {
      known = true;
      run = runId;
      if (pressed) void send();
    },
    async press(signal) {
      pressed = true;
      if (known) await send(signal);
    },
  };
}
