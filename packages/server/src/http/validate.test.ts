import { sendBody } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { BerthError } from "../lib/errors.ts";
import { validate } from "./validate.ts";

function errorsOf(schema: z.ZodType, value: unknown): unknown {
  try {
    return validate(schema, value, "body");
  } catch (thrown) {
    return thrown instanceof BerthError ? thrown.details["errors"] : thrown;
  }
}

describe("validate", () => {
  it("gives the value with its defaults", () => {
    const value = { events: [{ type: "user.message", content: "hi" }] };
    expect(validate(sendBody, value, "body").events[0]).toMatchObject({ onBusy: "enqueue" });
  });

  it("points at each fault, with the signs of RFC 6901", () => {
    const schema = z.strictObject({ "a/b": z.strictObject({ "c~d": z.string() }), list: z.array(z.int()) });
    expect(errorsOf(schema, { "a/b": { "c~d": 1, e: 2 }, list: [1, "x"] })).toMatchObject([
      { pointer: "/a~1b/c~0d" },
      { pointer: "/a~1b/e", detail: "is not a known field" },
      { pointer: "/list/1" },
    ]);
  });

  it("speaks of the branch of a union that was meant", () => {
    const events = [{ type: "user.tool_result", toolUseId: "x", content: "y" }];
    expect(errorsOf(sendBody, { events })).toEqual([
      { pointer: "/events/0/toolUseId", detail: "must be an id that begins with tlu_" },
    ]);
  });

  it("says which type there is not", () => {
    expect(errorsOf(sendBody, { events: [{ type: "user.shout" }] })).toMatchObject([
      { pointer: "/events/0/type" },
    ]);
  });

  it("says in its message what the first fault is", () => {
    expect(() => validate(z.strictObject({ limit: z.int() }), {}, "query")).toThrow(
      /^The query is not valid: \/limit /,
    );
  });
});
