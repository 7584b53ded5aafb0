import { decideBody, sendBody } from "@berth/contract";
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

  const types = `"user.message", "system.message", "user.interrupt", "user.approval", "user.tool_result"`;
  const approval = { type: "user.approval", approvalId: `apr_${"0".repeat(26)}`, decision: "edit" };
  const editRule = "input is needed with decision edit and refused with any other";
  const page = z.strictObject({
    limit: z.coerce.number().max(9).optional(),
    name: z.string().min(1).optional(),
  });
  it.each([
    [sendBody, { events: [{ type: "user.shout" }] }, `/events/0/type must be one of ${types}`],
    [sendBody, { events: [{}] }, `/events/0/type is missing: it must be one of ${types}`],
    [sendBody, { events: [7] }, "/events/0 must be an object"],
    [sendBody, [], "it must be an object"],
    [sendBody, null, "it must be an object"],
    [sendBody, {}, "/events is missing"],
    [sendBody, { events: [] }, "/events must have at least 1 item"],
    [sendBody, { events: [{ type: "user.message" }] }, "/events/0/content is missing"],
    [
      sendBody,
      { events: [{ type: "user.message", content: 7 }] },
      "/events/0/content must be a text or an array",
    ],
    [sendBody, { events: [{ type: "user.interrupt", x: 1 }] }, "/events/0/x is not a known field"],
    [sendBody, { events: [approval] }, `/events/0: ${editRule}`],
    [decideBody, { decision: "edit" }, editRule],
    [decideBody, { decision: "maybe" }, `/decision must be one of "allow", "deny", "edit"`],
    [page, { limit: "many" }, "/limit must be a number"],
    [page, { limit: "10" }, "/limit must be at most 9"],
    [page, { name: "" }, "/name must have at least 1 character"],
  ])("%# says a fault in a sentence", (schema: z.ZodType, value, sentence) => {
    expect(() => validate(schema, value, "body")).toThrow(`The body is not valid: ${sentence}.`);
  });
});
