import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { message } from "../../test/support/session/inputs.ts";
import { call, story } from "../../test/support/session/story.ts";
import { mayTake } from "./decide-input.ts";
import { graph } from "./graph.ts";
import type { Action } from "./next-step.ts";
import { type CallState, callTransitions, isResolved } from "./tool-call.ts";

const spec = readFileSync(join(import.meta.dirname, "SPEC.md"), "utf8");

/** The first table under a heading: cells by row, without the line under the head. */
function tableUnder(heading: string): readonly (readonly string[])[] {
  const [, section = ""] = spec.split(`\n## ${heading}\n`);
  const [own = ""] = section.split("\n## ");
  const rows = own.split("\n").filter((line) => line.startsWith("|"));
  const cells = rows.map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return cells.filter((_, index) => index !== 1);
}

/** A table of transitions as the code writes it: state, signal, next state. */
function transitionsUnder(heading: string) {
  const [[, ...signals] = [], ...rows] = tableUnder(heading);
  return Object.fromEntries(
    rows.map(([state = "", ...next]) => [
      state,
      Object.fromEntries(signals.map((signal, index) => [signal, next[index]])),
    ]),
  );
}

/** Every action, and whether it only writes events. A new one does not compile until it is here. */
const kinds: Readonly<Record<Action["type"], "-" | "transition" | "effect">> = {
  take_input: "-",
  wait: "-",
  begin_step: "transition",
  call_model: "effect",
  compact: "effect",
  ask: "transition",
  request_input: "transition",
  delegate: "transition",
  start_tool: "transition",
  run_tool: "effect",
  finish_subagent: "transition",
  finish_run: "transition",
};

describe("SPEC.md", () => {
  it("has the graph of the code, every cell of it", () => {
    expect(transitionsUnder("Graph of a namespace")).toEqual(graph);
  });

  it("has the tool call's transitions of the code, every cell of them", () => {
    expect(transitionsUnder("Tool call")).toEqual(callTransitions);
  });

  it("has the actions of the code", () => {
    const [, ...rows] = tableUnder("What is next");
    expect(Object.fromEntries(rows.map(([action, kind]) => [action, kind]))).toEqual(kinds);
  });

  it("has the lanes of the code", () => {
    const [, ...rows] = tableUnder("Inputs");
    expect(rows.map(([lane]) => lane)).toEqual(["control", "steer", "queue"]);
    const may = (told: ReturnType<typeof story>) =>
      (["control", "steer", "queue"] as const).map((lane) => mayTake(told.state, message(1, "x", lane)));
    expect(may(story())).toEqual([true, true, true]);
    expect(may(story().message("hi"))).toEqual([true, true, false]);
    expect(may(story().message("hi").think())).toEqual([true, false, false]);
    expect(may(story().message("hi").think().answer(call(1)))).toEqual([true, false, false]);
  });

  it("names a test for every invariant, and it is there", () => {
    const [, ...rows] = tableUnder("Invariants");
    expect(rows.map(([number]) => number)).toEqual(Array.from({ length: 15 }, (_, index) => `I${index + 1}`));
    for (const [number = "", , tests = ""] of rows) {
      expect(tests).not.toBe("");
      for (const [, path = ""] of tests.matchAll(/`([^`]+\.ts)`/g)) {
        const file = join(import.meta.dirname, "..", path);
        expect([path, existsSync(file)]).toEqual([path, true]);
        expect([path, number, readFileSync(file, "utf8").includes(number)]).toEqual([path, number, true]);
      }
    }
  });
});

describe("a tool call", () => {
  it("is resolved in the states that nothing leads out of, and in no other", () => {
    const states = Object.keys(callTransitions) as CallState[];
    const final = states.filter((state) =>
      Object.values(callTransitions[state]).every((next) => next === state),
    );
    expect(states.filter(isResolved)).toEqual(final);
    expect(final).toEqual(["completed", "failed", "denied", "sealed"]);
  });
});
