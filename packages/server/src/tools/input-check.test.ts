import { describe, expect, it } from "vitest";
import { cpuMsOf } from "../../test/support/cpu-time.ts";
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
    const patterns = ["^(a+)+$", "^(a|a)*$", "a*a*a*a*b", "a?".repeat(30) + "a".repeat(30), "(x)\\1"];
    const took = cpuMsOf(() => {
      for (const pattern of patterns)
        expect(inputs.check(object({ a: { type: "string", pattern } }), { a: "a".repeat(500) })).toBeNull();
    });
    expect(took).toBeLessThan(500);
    expect(inputs.check(object({ a: { pattern: "^[a-z]+@[a-z]+$" } }), { a: "nobody" })).toContain(
      "a: must match",
    );
    expect(inputs.check(object({ a: { pattern: "^(red|green)$" } }), { a: "blue" })).toContain(
      "a: must match",
    );
  });

  it("keeps the patterns of one schema apart", () => {
    const two = object({ a: { pattern: "^a$" }, b: { pattern: "^b$" } });
    expect(inputs.check(two, { a: "a", b: "b" })).toBeNull();
    expect(inputs.check(two, { a: "a", b: "a" })).toBe('b: must match pattern "^b$"');
  });

  it("NET-09 does not stall on many short matches", () => {
    const list = object({ list: { type: "array", items: { type: "string", pattern: "a*a*b" } } });
    const took = cpuMsOf(() =>
      expect(inputs.check(list, { list: Array.from({ length: 8_500 }, () => "a".repeat(120)) })).toContain(
        "list[0]",
      ),
    );
    expect(took).toBeLessThan(1_000);
  });

  it("finds equal items among many without comparing every two", () => {
    const list = object({ list: { type: "array", uniqueItems: true } });
    const items = Array.from({ length: 15_000 }, (_, id) => ({ id, name: "x" }));
    expect(cpuMsOf(() => expect(inputs.check(list, { list: items })).toBeNull())).toBeLessThan(1_000);
    expect(inputs.check(list, { list: [...items.slice(0, 3), { name: "x", id: 1 }] })).toBe(
      "list: must NOT have duplicate items (items ## 1 and 3 are identical)",
    );
    expect(inputs.check(list, { list: [1, "1", true, "true", null, "null", [1], ["1"]] })).toBeNull();
    expect(inputs.check(object({ list: { uniqueItems: false } }), { list: [1, 1] })).toBeNull();
  });

  it("refuses schemas that multiply by their references", () => {
    const any = (name: string) => ({ anyOf: [{ $ref: `#/$defs/${name}` }, { $ref: `#/$defs/${name}` }] });
    const chain = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`a${i}`, any(`a${i + 1}`)]));
    const $defs = { ...chain, a40: { type: "string" } };
    const tree = { type: "object", properties: { left: any("tree"), right: any("tree") } };
    expect(inputs.schemaError(object({ a: any("a0") }, { $defs }))).toContain("with its references");
    expect(inputs.schemaError(object({ a: any("tree") }, { $defs: { tree } }))).toContain("refers to itself");
    expect(inputs.schemaError(object({ a: { $ref: "#" } }))).toContain("refers to itself");
    expect(inputs.schemaError(object({ a: { $ref: "#/$defs/b" } }))).toContain("is not in it");
    expect(inputs.schemaError(object({ a: { $id: "b", $ref: "#/c" } }))).toContain("not supported");
    const shared = object(
      { a: any("a~1 b"), $ref: any("a~1%20b") },
      { $defs: { "a/ b": { type: "string" } } },
    );
    expect(inputs.check(shared, { a: "x", $ref: 1 })).toContain("$ref: must be string");
  });

  it("tells the model that an input is too large", () => {
    const open = { type: "object" };
    let deep: unknown = 1;
    for (let i = 0; i < 20_000; i++) deep = [deep];
    expect(inputs.check(open, { a: "x".repeat(2 ** 20) })).toContain("characters of text");
    expect(inputs.check(open, { a: Array.from({ length: 50_000 }, () => 0) })).toContain("50000 values");
    expect(inputs.check(open, { deep })).toContain("levels deep");
    const large = object({
      a: { items: { anyOf: Array.from({ length: 1_000 }, () => ({ type: "string" })) } },
    });
    expect(inputs.check(large, { a: Array.from({ length: 2_000 }, () => 0) })).toContain(
      "schema of this size",
    );
    expect(inputs.check(large, { a: ["x"] })).toBeNull();
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
