import type { LiveEvent, SessionEvent, StreamEvent } from "@berth/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { finished, live, logged, usage } from "../../test/support/events.ts";
import type { Change } from "./block.ts";
import { createTranscript } from "./transcript.ts";

const first = 1_000_000_100;
const second = 2_000_000_100;
const answer = "one two three";

function piece(text: string, attempt: number, offset = 0, messageId = "msg_1"): StreamEvent {
  return {
    ...live("agent.message.delta", { messageId, blockId: 0, attempt, offset, text }),
    stepId: messageId.replace("msg", "stp"),
  };
}
const resumed = logged(5, "session.resumed", { strategy: "continue", sealed: [], epoch: 2 });
const whole = logged(6, "agent.message", { messageId: "msg_1", blockId: 0, text: answer });
const stepEnd = (seq: number, stepId = "stp_1"): SessionEvent => ({
  ...logged(seq, "step.finished", { model: "a/b", usage, cost: 0, ttftMs: 1, durationMs: 1, finish: "stop" }),
  stepId,
});

/** What a screen that can only add shows: text that is gone is cut off, text that does not go on begins again. */
function screen(events: readonly StreamEvent[]): string {
  const transcript = createTranscript();
  return events.flatMap((event) => transcript.apply(event).map(written)).join("");
}
function written(change: Change): string {
  if (change.block.kind !== "text") return "";
  if (change.type === "removed") return "|cut|";
  const before = change.type === "changed" && change.before.kind === "text" ? change.before.text : "";
  const { text, done } = change.block;
  return `${text.startsWith(before) ? text.slice(before.length) : `|again|${text}`}${done ? "." : ""}`;
}

describe("the text of a run that another server goes on with", () => {
  const half = [piece("one", first), piece(" two", first, 3)];
  it.each<[string, StreamEvent[], string]>([
    [
      "with pieces before the log says so",
      [...half, piece("one", second), piece(" two three", second, 3), resumed, whole],
      "one two|again|one two three.",
    ],
    [
      "with pieces on both sides of it",
      [...half, piece("one", second), resumed, piece(" two", second, 3), whole],
      "one two|again|one two three.",
    ],
    [
      "with pieces after it",
      [...half, resumed, piece("one", second), piece(" two three", second, 3), whole],
      "one two|cut|one two three.",
    ],
    ["with no piece at all", [...half, resumed, whole], "one two|cut|one two three."],
    [
      "that goes on where it was cut",
      [...half, piece("one two t", second), resumed, whole],
      "one two three.",
    ],
    ["for one who came after the restart", [piece("one two", second), resumed, whole], "one two three."],
    [
      "when the second server dies too",
      [...half, piece("one", second), { ...resumed, data: { ...resumed.data, epoch: 3 } }, whole],
      "one two|again|one|cut|one two three.",
    ],
    ["for one who came after the end", [resumed, whole], "one two three."],
  ])("is on the screen once: %s", (_, events, expected) =>
    expect(screen([...events, stepEnd(7), finished(8)])).toBe(expected),
  );

  it("is what was read of it when the run is interrupted instead", () => {
    const partial = logged(6, "agent.message", {
      messageId: "msg_1",
      blockId: 0,
      text: "one",
      partial: true,
    });
    expect(screen([...half, piece("one", second), resumed, partial, stepEnd(7), finished(8)])).toBe(
      "one two|again|one.",
    );
    expect(screen([...half, resumed, stepEnd(6), finished(7)])).toBe("one two|cut|");
  });

  it("stays in each sub-agent that wrote anew", () => {
    const of = (event: StreamEvent, namespace: string) => ({ ...event, namespace });
    const transcript = createTranscript();
    for (const event of [
      of(piece("dead", first, 0, "msg_a"), "a"),
      of(piece("dead", first, 0, "msg_b"), "b"),
      of(piece("anew", second, 0, "msg_b"), "b"),
      resumed,
    ])
      transcript.apply(event);
    expect(transcript.blocks).toMatchObject([{ namespace: "b", text: "anew" }]);
  });
});

describe("live text that is ahead of the log", () => {
  const ahead = piece("next", first + 100, 0, "msg_2");
  const text = (events: readonly StreamEvent[]) => screen([piece("one", first), ahead, ...events]);

  it("stays when the step before it ends", () => {
    expect(text([stepEnd(6)])).not.toContain("next|cut|");
    expect(text([stepEnd(6, "stp_2")])).toContain("next|cut|");
  });

  it("stays when the run before it ends and is undone", () => {
    const later = { ...ahead, runId: "run_00000000000000000000000002" };
    const rewound = logged(9, "session.rewound", {
      toSeq: 2,
      cause: "rollback",
      manifest: null,
      manifestSeq: null,
      usage,
      outsideEffects: [],
    });
    expect(screen([later, finished(8), rewound])).toBe("next");
    expect(screen([ahead, finished(8), rewound])).toBe("next|cut|");
  });
});

it("a finished text is on the screen once, whatever is lost of its pieces and wherever they come among the log", () => {
  const pieces = [first, second].flatMap((attempt) =>
    answer.split("").map((letter, at) => piece(letter, attempt, at) as LiveEvent<"agent.message.delta">),
  );
  const log = [resumed, whole, stepEnd(7), finished(8)];
  const kept = fc.array(fc.boolean(), { minLength: pieces.length, maxLength: pieces.length });
  const until = fc.nat({ max: pieces.length });
  fc.assert(
    fc.property(kept, until, (keep, place) => {
      // The new server writes this much before its first commit is heard of.
      const heard = pieces.filter((_, at) => keep[at] === true);
      const before = heard.filter((_, at) => at < place || heard[at]?.data.attempt === first);
      const after = heard.slice(before.length);
      const shown = screen([...before, ...log.slice(0, 1), ...after, ...log.slice(1)]);
      const pieceOfIt = shown.split(/\|again\||\|cut\|/);
      expect(pieceOfIt.filter((part) => part === `${answer}.`)).toHaveLength(1);
      expect(pieceOfIt.length).toBeLessThanOrEqual(2);
    }),
  );
});
