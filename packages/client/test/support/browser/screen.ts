import { createTranscript, type FollowedEvent } from "@berth/client";

/** What a follower has seen. */
export interface Sight {
  readonly events: readonly FollowedEvent[];
  /** Every text of the agent's that was on the screen, finished or not. */
  readonly shown: readonly string[];
  /** The agent's words at the end. */
  readonly text: string;
  /** Times that the connection was lost. */
  readonly lost: number;
  /** How many of these came while a text was half on the screen. */
  readonly lostInText: number;
}

/** A transcript that remembers all that it ever showed. */
export function createScreen() {
  const transcript = createTranscript();
  const events: FollowedEvent[] = [];
  const shown: string[] = [];
  const half = new Set<string>();
  let lost = 0;
  let lostInText = 0;
  return {
    events,
    take(event: FollowedEvent): void {
      events.push(event);
      for (const { type, block } of transcript.apply(event)) {
        if (block.kind !== "text") continue;
        half.delete(block.key);
        if (type === "removed") continue;
        shown.push(block.text);
        if (!block.done && block.text !== "") half.add(block.key);
      }
    },
    /** The connection is gone. */
    lose(): void {
      lost += 1;
      if (half.size > 0) lostInText += 1;
    },
    sight(): Sight {
      const words = transcript.blocks.flatMap((block) => (block.kind === "text" ? [block.text] : []));
      return { events, shown, text: words.join("\n"), lost, lostInText };
    },
  };
}
