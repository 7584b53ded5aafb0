import { describe, expect, it } from "vitest";
import { estimateSteps } from "./bounded-regexp.ts";
import { createInputCheck } from "./input-check.ts";

const object = (properties: object, more: object = {}) => ({
  type: "object",
  properties,
  additionalProperties: false,
  ...more,
});
const inputs = createInputCheck();

describe("createInputCheck", () => {
  const schema = object(
    {
      content: { type: "string" },
      todos: { type: "array", items: object({ status: { enum: ["open", "done"] } }) },
    },
    { required: ["content"] },
  );

  it("says what is wrong in sentences", () => {
    expect(inputs.check(schema, { content: "x" })).toBeNull();
    expect(inputs.check(schema, { content: 7 })).toBe("content: must be string");
    expect(inputs.check(schema, {})).toBe("content: is missing");
    expect(inputs.check(schema, { content: "x", extra: 1 })).toBe("extra: is not known");
    expect(inputs.check(schema, { content: "x", todos: [{ status: "open" }, { status: "lost" }] })).toBe(
      "todos[1].status: must be one of open, done",
    );
    expect(inputs.check(schema, [])).toBe("the input: must be object");
    expect(inputs.check(schema, { todos: 1, a: 1, b: 1, c: 1, d: 1 })).toMatch(/; and 1 more$/);
  });

  it("takes schemas of both drafts, and the same one again as a new object", () => {
    for (const $schema of [
      "http://json-schema.org/draft-07/schema#",
      "https://json-schema.org/draft/2020-12/schema",
    ]) {
      const drafted = { ...object({ n: { type: "number" } }), $schema, $id: "https://example.com/same" };
      expect(inputs.schemaError(drafted)).toBeNull();
      expect(inputs.check({ ...drafted }, { n: "x" })).toBe("n: must be number");
    }
    const pairs = object(
      { pair: { prefixItems: [{ type: "number" }] } },
      { $schema: "https://json-schema.org/draft/2020-12/schema" },
    );
    expect(inputs.check(pairs, { pair: ["x"] })).toBe("pair[0]: must be number");
  });

  it("refuses schemas that cannot be used", () => {
    let deep: object = { type: "string" };
    for (let i = 0; i < 40; i++) deep = { anyOf: [deep] };
    expect(inputs.schemaError(object({ a: { type: "nonsense" } }))).toContain("cannot be used");
    expect(inputs.schemaError(object({ a: { $ref: "https://example.com/other" } }))).toContain(
      "cannot be used",
    );
    expect(inputs.schemaError({ type: "string" })).toContain('"type": "object"');
    expect(inputs.schemaError(object({ a: { description: "x".repeat(70_000) } }))).toContain("smaller");
    expect(inputs.schemaError(object({ deep }))).toContain("flatter");
    expect(inputs.schemaError(object({}, { $async: true }))).toContain("$async");
    expect(inputs.schemaError(object({ a: { pattern: "(" } }))).toContain("cannot be used");
  });

  it("NET-09 does not stall on a pattern, and checks the harmless ones", () => {
    const began = performance.now();
    for (const pattern of ["^(a+)+$", "^(a|a)*$", "a*a*a*a*b", "a?".repeat(30) + "a".repeat(30), "(x)\\1"]) {
      expect(inputs.check(object({ a: { type: "string", pattern } }), { a: "a".repeat(500) })).toBeNull();
    }
    expect(performance.now() - began).toBeLessThan(500);
    expect(inputs.check(object({ a: { pattern: "^[a-z]+@[a-z]+$" } }), { a: "nobody" })).toContain(
      "a: must match",
    );
    expect(inputs.check(object({ a: { pattern: "^(red|green)$" } }), { a: "blue" })).toContain(
      "a: must match",
    );
  });

  it("does not reach the prototype of anything", () => {
    const input: unknown = JSON.parse('{"__proto__": {"polluted": true}, "content": "x"}');
    expect(inputs.check(schema, input)).toBe("__proto__: is not known");
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

it("estimates more steps than any match takes", () => {
  expect(estimateSteps("^abc$")(1_000)).toBeLessThan(100);
  expect(estimateSteps("a+b")(999)).toBe(1_000 ** 2 * 3);
  expect(estimateSteps("(a+)+")(1)).toBe(Number.POSITIVE_INFINITY);
  expect(estimateSteps("^\\d{3}-[+*]$")(1_000)).toBeLessThan(100);
});
