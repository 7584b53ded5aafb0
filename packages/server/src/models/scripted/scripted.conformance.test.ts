import { createManualClock } from "../../../test/support/manual-clock.ts";
import { type Answer, plainRequest } from "../../../test/support/models/answers.ts";
import { describeModelAdapter, type Ending } from "../model.conformance.ts";
import { createScripted } from "./scripted.ts";
import type { ScriptStep, ScriptTurn } from "./script.ts";

function stepsOf(answer: Answer): ScriptTurn {
  return answer.steps.flatMap((step): ScriptTurn => {
    if ("text" in step) return step.text.map((text) => ({ text }));
    if ("thinking" in step) return step.thinking.map((thinking) => ({ thinking }));
    return step.calls.map(({ name, pieces }) => ({ tool: name, raw: pieces.join(""), chunk: 3 }));
  });
}

const endings: Readonly<Record<Exclude<Ending, "whole">, ScriptStep>> = {
  silent: { waitMs: 1_000_000 },
  cut: { error: "cut_off" },
  overloaded: { error: "overloaded" },
};

describeModelAdapter({
  name: "scripted",
  async start() {
    let turn: ScriptTurn = [];
    return {
      adapter: createScripted({ clock: createManualClock(), turn: () => turn }),
      request: plainRequest,
      play(answer, ending = "whole") {
        const last: ScriptTurn =
          ending === "whole" ? [{ finish: answer.finish }, { usage: answer.usage }] : [endings[ending]];
        turn = [...stepsOf(answer), ...last];
      },
      gone: () => Promise.resolve(),
      stop: () => Promise.resolve(),
    };
  },
});
