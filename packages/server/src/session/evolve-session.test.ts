import type { EventData } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { hashOf, idOf, isoAt } from "../../test/support/session/ids.ts";
import { agent, call, helper, person, story } from "../../test/support/session/story.ts";
import { finishRun } from "./decide-run.ts";
import { bytesOfChange } from "./file-changes.ts";
import { fold } from "./fold.ts";
import { type NewEvent, placeOf, stamp } from "./new-event.ts";
import { bytesOf } from "./size.ts";
import { noUsage, root, type SessionState, statusOf } from "./state.ts";

describe("events about the session", () => {
  it("session.created is the beginning", () => {
    const { state } = story({ key: "k", title: "T", metadata: { a: "1" }, model: "test/own" });
    expect(state).toMatchObject({
      sessionId: idOf("session", 1),
      seq: 1,
      owner: person.id,
      agent,
      key: "k",
      title: "T",
      metadata: { a: "1" },
      model: "test/own",
      run: null,
      usage: noUsage,
    });
    expect(statusOf(state)).toBe("idle");
    expect(state.namespaces[root]).toMatchObject({ name: "", depth: 0, parent: null, model: "test/own" });
    expect(story().state.namespaces[root]?.model).toBe("");
  });

  it("session.updated changes what it names and nothing else", () => {
    const began = story({ title: "old", metadata: { a: "1" } });
    const titled = story({ title: "old", metadata: { a: "1" } }).add({
      type: "session.updated",
      data: { title: null },
    });
    expect(titled.state).toEqual({ ...began.state, seq: 2, title: null });
    const data = { metadata: { longer: "value" }, model: "test/b", agent: helper };
    const changed = story({ title: "old", metadata: { a: "1" } }).add({
      type: "session.updated",
      data,
    }).state;
    expect(changed).toMatchObject({ ...data, title: "old" });
    expect(changed.bytes - began.state.bytes).toBe(bytesOf(data.metadata) - bytesOf({ a: "1" }));
  });

  it("session.archived archives and brings back", () => {
    const archived = story().add({ type: "session.archived", data: { archived: true } });
    expect(statusOf(archived.state)).toBe("archived");
    expect(statusOf(archived.add({ type: "session.archived", data: { archived: false } }).state)).toBe(
      "idle",
    );
  });

  it("session.forked makes the prefix another session's; the end of an open run follows it", () => {
    const prefix = story({ key: "k", title: "parent" }).message("hi").think().answer("hello");
    const data = {
      fromSessionId: idOf("session", 1),
      fromSeq: 6,
      owner: "usr_other",
      title: null,
      manifest: null,
    };
    const fork = (state: SessionState, change: Partial<typeof data | { manifest: string }> = {}) => {
      const place = { ...placeOf(state), sessionId: idOf("session", 2) };
      return fold(
        stamp(place, [{ type: "session.forked", data: { ...data, ...change } }], isoAt(prefix.now)),
        state,
      );
    };
    const { state } = prefix;
    expect(fork({ ...state, archived: true, workspaceDirty: true })).toEqual({
      ...state,
      seq: 7,
      sessionId: idOf("session", 2),
      owner: "usr_other",
      key: null,
      title: null,
      archived: false,
      workspaceDirty: false,
    });
    expect(fork(state, { manifest: hashOf(3) }).manifest).toEqual({ hash: hashOf(3), seq: 7 });
    const manifest = { hash: hashOf(1), seq: 2 };
    expect(fork({ ...state, manifest }).manifest).toEqual(manifest);
    const ended = finishRun(fork(state), { reason: "interrupted", now: prefix.now });
    expect(fold(stamp(placeOf(fork(state)), ended, isoAt(prefix.now)), fork(state))).toMatchObject({
      run: null,
      lastRun: { id: idOf("run", 1), reason: "interrupted" },
    });
  });

  it("session.forked leaves the effects of open calls to its parent", () => {
    const prefix = story()
      .message("hi")
      .think()
      .answer(call(1, { effect: "once" }))
      .starts(1);
    const ended = (state: SessionState) => {
      const events = finishRun(state, { reason: "interrupted", now: prefix.now });
      return fold(stamp(placeOf(state), events, isoAt(prefix.now)), state);
    };
    const about = { fromSessionId: idOf("session", 1), fromSeq: prefix.seq, owner: person.id, title: null };
    const forked = { type: "session.forked", data: { ...about, manifest: null, files: "exact" } } as const;
    const place = { ...placeOf(prefix.state), sessionId: idOf("session", 2) };
    const fork = fold(stamp(place, [forked], isoAt(prefix.now)), prefix.state);
    expect(ended(fork)).toMatchObject({ run: null, toolsTouched: false, workspaceDirty: false });
    expect(ended(prefix.state)).toMatchObject({ run: null, toolsTouched: true, workspaceDirty: true });
  });

  it("session.rewound is the state at its target with nothing going on and the usage of the raw log", () => {
    const told = story()
      .turn("one")
      .message("two")
      .think()
      .answer(call(1, { effect: "once" }))
      .starts(1)
      .returns(1);
    const target = told.state;
    const usage = { ...noUsage, inputTokens: 99 };
    const data = {
      toSeq: told.seq,
      cause: "rewind",
      manifest: null,
      manifestSeq: null,
      usage,
      outsideEffects: [],
    } satisfies EventData<"session.rewound">;
    const back = told.add({ type: "session.rewound", data }).state;
    expect(back).toMatchObject({ run: null, approvals: {}, usage, workspaceDirty: true, manifest: null });
    expect(back.namespaces[root]).toMatchObject({ node: "END", step: null, calls: [] });
    expect([...(back.namespaces[root]?.items ?? [])]).toEqual([...(target.namespaces[root]?.items ?? [])]);
    const restored = told.add({
      type: "session.rewound",
      data: { ...data, toSeq: told.seq, manifest: hashOf(1) },
    });
    expect(restored.state).toMatchObject({
      workspaceDirty: false,
      manifest: { hash: hashOf(1), seq: restored.seq },
    });
  });

  it("todo.changed replaces the list and counts its size", () => {
    const todos = [{ id: "1", content: "x".repeat(100), status: "pending" }] as const;
    const before = story().state.bytes;
    const told = story().add({ type: "todo.changed", data: { todos: [...todos] } });
    expect(told.state.todos).toEqual(todos);
    expect(told.state.bytes - before).toBeGreaterThan(100);
    expect(told.add({ type: "todo.changed", data: { todos: [] } }).state.bytes).toBe(before);
  });

  it("file.changed makes the workspace dirty until a run's end keeps a manifest", () => {
    const data = { path: "/a", change: "deleted" } as const;
    const told = story().message("hi").add({ type: "file.changed", data });
    expect(told.state.workspaceDirty).toBe(true);
    expect(told.think().answer("x").ends().state).toMatchObject({ workspaceDirty: true, manifest: null });
    const kept = told.message("again").think().answer("y").ends("end_turn", hashOf(4));
    expect(kept.state).toMatchObject({ workspaceDirty: false, manifest: { hash: hashOf(4), seq: kept.seq } });
  });

  describe("the files that a log tells of", () => {
    const blob = { hash: hashOf(5), size: 5 };
    const inputId = idOf("input", 1);
    const upload = (path: string) =>
      ({ type: "file.changed", inputId, data: { path, change: "written", blob } }) as const;
    const file = (path: string) => ({ path, now: blob });

    it("are those of the manifest, with what inputs did to them since", () => {
      const told = story()
        .add(upload("a"), upload("b"))
        .add({ type: "file.changed", inputId, data: { path: "a", change: "moved", to: "c" } })
        .add({ type: "file.changed", inputId, data: { path: "b", change: "deleted" } });
      const changes = [{ path: "a", now: null }, { path: "b", now: null }, file("c")];
      expect(told.state).toMatchObject({ fileChanges: changes, toolsTouched: false, workspaceDirty: true });
      expect(told.state.bytes - story().state.bytes).toBe(3 * bytesOfChange);
      const during = told.message("hi").add(upload("d"));
      expect(during.state.fileChanges).toHaveLength(4);
      const kept = during.think().answer("x").ends("end_turn", hashOf(4)).state;
      expect(kept).toMatchObject({ fileChanges: [], toolsTouched: false, workspaceDirty: false });
      const unkept = story().add(upload("a")).turn("hi").state;
      expect(unkept).toMatchObject({ fileChanges: [file("a")], workspaceDirty: true });
    });

    it("are not said to be all where they are too deep to be known", () => {
      const deep = "d/".repeat(126);
      const move = (to: string) =>
        ({ type: "file.changed", inputId, data: { path: "a", change: "moved", to } }) as const;
      expect(story().add(upload("a/b"), move(`${deep}c`)).state.toolsTouched).toBe(false);
      expect(story().add(upload("a/b"), move(`${deep}c/d`)).state.toolsTouched).toBe(true);
    });

    it.each([
      ["where a file was moved to", { path: "a", change: "moved" }],
      ["what was written", { path: "a", change: "written" }],
    ] as const)("are not said to be all where an event does not say %s", (_, data) => {
      const told = story().add(upload("a"), { type: "file.changed", inputId, data });
      expect(told.state).toMatchObject({
        fileChanges: [file("a")],
        toolsTouched: true,
        workspaceDirty: true,
      });
    });

    it("are not what a tool made of them", () => {
      const data = { path: "a", change: "written" } as const;
      const told = story().add(upload("a")).message("hi").add({ type: "file.changed", data });
      expect(told.state).toMatchObject({ fileChanges: [file("a")], toolsTouched: true });
    });

    it.each([
      ["of this version", "exact", [file("a")]],
      ["of a version that put back the manifest alone", undefined, []],
    ] as const)("are in a fork and after a rewind %s", (_, files, fileChanges) => {
      const told = story().add(upload("a"));
      const said = files === undefined ? {} : { files };
      const about = { owner: "usr_other", title: null, manifest: hashOf(3), ...said };
      const forked = {
        type: "session.forked",
        data: { fromSessionId: idOf("session", 1), fromSeq: 2, ...about },
      } as const;
      const known = { fileChanges, toolsTouched: false, workspaceDirty: false };
      expect(story().add(upload("a"), forked).state).toMatchObject(known);
      const data = {
        toSeq: 2,
        cause: "rewind",
        manifest: hashOf(3),
        manifestSeq: 1,
        usage: noUsage,
      } as const;
      told.add({ type: "session.rewound", data: { ...data, outsideEffects: [], ...said } });
      expect(told.state).toMatchObject(known);
    });

    it("are unknown after a rewind that left them", () => {
      const data = { toSeq: 2, cause: "rewind", manifest: null, manifestSeq: null, usage: noUsage } as const;
      for (const said of [{}, { files: "left" }] as const) {
        const told = story().add(upload("a"));
        told.add({ type: "session.rewound", data: { ...data, outsideEffects: [], ...said } });
        expect(told.state).toMatchObject({
          fileChanges: [file("a")],
          toolsTouched: true,
          workspaceDirty: true,
        });
      }
    });
  });

  const silent: readonly NewEvent[] = [
    { type: "session.resumed", data: { strategy: "continue", sealed: [], epoch: 2 } },
    { type: "user.interrupt", data: {} },
    { type: "input.refused", data: { code: "c", message: "m", inputType: "timer" } },
    {
      type: "model.retried",
      data: { model: "m", attempt: 1, delayMs: 1, error: { code: "c", message: "m", retryable: true } },
    },
    {
      type: "model.fell_back",
      data: { from: "a", to: "b", error: { code: "c", message: "m", retryable: true } },
    },
    { type: "error", data: { code: "c", message: "m", retryable: false } },
  ];
  it.each(silent)("$type changes nothing but the seq", (event) => {
    const told = story().message("hi");
    expect(story().message("hi").add(event).state).toEqual({ ...told.state, seq: 4 });
  });
});
