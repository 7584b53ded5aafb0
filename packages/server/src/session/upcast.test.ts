import { describe, expect, it } from "vitest";
import { story } from "../../test/support/session/story.ts";
import { decodeEvent, knownEventVersion, upcast, versionOf } from "./upcast.ts";

const [created] = story().events as [ReturnType<typeof story>["events"][number]];

describe("event versions", () => {
  it("are 1, and more for types that programs of earlier versions do not know", () => {
    expect(versionOf("session.created")).toBe(1);
    expect(versionOf("budget.reached")).toBe(2);
    expect(versionOf("sandbox.allocated")).toBe(3);
    expect(knownEventVersion).toBe(3);
  });

  it("leave an event of the newest version as it is", () => {
    expect(upcast(created)).toBe(created);
    expect(decodeEvent(JSON.stringify(created))).toEqual(created);
  });

  it("are led step by step to the newest, each type by its own steps", () => {
    const grow = (name: string) => (data: unknown) => ({ ...(data as object), [name]: true });
    const steps = new Map([
      ["session.created@1", grow("second")],
      ["session.created@2", grow("third")],
      ["session.updated@1", grow("never")],
    ]);
    const data = { ...created.data, second: true, third: true };
    expect(upcast(created, steps)).toEqual({ ...created, v: 3, data });
    expect(upcast({ ...created, v: 2 }, steps)).toEqual({
      ...created,
      v: 3,
      data: { ...created.data, third: true },
    });
    expect(created.v).toBe(1);
  });
});
