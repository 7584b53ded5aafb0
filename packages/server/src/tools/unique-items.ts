import type { FuncKeywordDefinition, SchemaValidateFunction } from "ajv";
import { canonicalJson } from "../lib/canonical-json.ts";

const checkItems: SchemaValidateFunction = (unique: boolean, items: readonly unknown[]) => {
  if (!unique) return true;
  const indexes = new Map<string, number>();
  for (const [index, item] of items.entries()) {
    const text = canonicalJson(item);
    const same = indexes.get(text);
    if (same !== undefined) {
      const message = `must NOT have duplicate items (items ## ${same} and ${index} are identical)`;
      checkItems.errors = [{ keyword: "uniqueItems", message, params: { i: index, j: same } }];
      return false;
    }
    indexes.set(text, index);
  }
  return true;
};

/** `uniqueItems` in a time that grows with the items; Ajv's own compares every two of them. */
export const uniqueItems: FuncKeywordDefinition = {
  keyword: "uniqueItems",
  type: "array",
  schemaType: "boolean",
  errors: true,
  validate: checkItems,
};
