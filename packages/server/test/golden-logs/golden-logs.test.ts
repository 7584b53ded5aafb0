// Logs of every released version. Each must fold, for ever: a change that breaks one is an upcast that is missing.
// A new version gets a folder of its own, written once: WRITE_GOLDEN_LOGS=v2 npx vitest run golden-logs
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { persistedEvents, type SessionEvent, sessionEvent } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { hashJson } from "../../src/lib/canonical-json.ts";
import { effectiveEvents, fold } from "../../src/session/fold.ts";
import { type SessionState, statusOf } from "../../src/session/state.ts";
import { decodeEvent } from "../../src/session/upcast.ts";
import { goldenScenarios } from "../support/session/golden-scenarios.ts";

/** What a state comes down to, so that a difference can be read. */
function digestOf(state: SessionState) {
  const { seq, sessionId, owner, title, metadata, model, todos, usage, lastRun, manifest, workspaceDirty } =
    state;
  const namespaces = Object.values(state.namespaces).map(({ name, node, items, lastText, tokens, calls }) => {
    const kinds = [...items].map((item) => item.kind).join(" ");
    return { name, node, kinds, items: hashJson([...items]), lastText, tokens, calls: hashJson(calls) };
  });
  const { approvals, run } = state;
  const told = { seq, status: statusOf(state), sessionId, owner, title, metadata, model, todos, usage };
  const { fileChanges, toolsTouched } = state;
  const files = { manifest, workspaceDirty, fileChanges, toolsTouched };
  return { ...told, lastRun, ...files, run, approvals, namespaces };
}

/** What a version kept of its states: later ones tell more of them. */
function asKept(digest: object, kept: unknown): unknown {
  const names = Object.keys(kept ?? {});
  const told = JSON.parse(JSON.stringify(digest)) as object;
  return Object.fromEntries(Object.entries(told).filter(([name]) => names.includes(name)));
}

function read(folder: string, name: string): readonly string[] {
  return readFileSync(join(folder, `${name}.jsonl`), "utf8")
    .trimEnd()
    .split("\n");
}

const foldLines = (lines: readonly string[]) => fold(effectiveEvents(lines.map(decodeEvent)));

function write(folder: string): void {
  mkdirSync(folder);
  const states: Record<string, unknown> = {};
  for (const [name, scenario] of Object.entries(goldenScenarios)) {
    const lines = scenario().map((event) => JSON.stringify(event));
    writeFileSync(join(folder, `${name}.jsonl`), `${lines.join("\n")}\n`);
    states[name] = digestOf(foldLines(lines));
  }
  writeFileSync(join(folder, "states.json"), `${JSON.stringify(states, null, 2)}\n`);
}

const asked = process.env["WRITE_GOLDEN_LOGS"];
if (asked !== undefined) write(join(import.meta.dirname, asked));

const versions = readdirSync(import.meta.dirname).filter((name) => /^v\d+$/.test(name));

describe.each(versions)("logs of %s", (version) => {
  const folder = join(import.meta.dirname, version);
  const states = JSON.parse(readFileSync(join(folder, "states.json"), "utf8")) as Record<string, unknown>;
  const names = Object.keys(states);

  it.each(names)("%s is valid by the contract and folds to its state", (name) => {
    const lines = read(folder, name);
    const events = lines.map(decodeEvent);
    for (const event of events) expect(sessionEvent.parse(event)).toEqual(event);
    expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
    expect(asKept(digestOf(foldLines(lines)), states[name])).toEqual(states[name]);
  });

  it("have no file without a state", () => {
    const files = readdirSync(folder).filter((file) => file.endsWith(".jsonl"));
    expect(files.toSorted()).toEqual(names.map((name) => `${name}.jsonl`).toSorted());
  });
});

describe("the newest logs", () => {
  it("hold an event of every type", () => {
    const folder = join(import.meta.dirname, versions.at(-1) ?? "");
    const names = Object.keys(goldenScenarios);
    const types = new Set(
      names.flatMap((name) => read(folder, name).map((line) => (JSON.parse(line) as SessionEvent).type)),
    );
    expect([...types].toSorted()).toEqual(Object.keys(persistedEvents).toSorted());
  });
});
