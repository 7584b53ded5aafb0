const maxDepth = 200;

/** `uniqueItems` writes every item as JSON, which takes as long as this many simple keywords. */
const uniqueItemsSize = 10;

/**
 * The number of values in a JSON Schema once each of its references is replaced by what it refers to. A validator applies each
 * of them at most once to each value of an input, so that size times size is a bound of its work.
 * Throws an Error that says what to change when a schema refers to itself, or refers by anything but `#/a/path`.
 */
export function expandedSize(root: object): number {
  const sizes = new Map<object, number | "open">();

  function sizeOf(value: unknown, depth: number): number {
    if (typeof value !== "object" || value === null) return 1;
    const known = sizes.get(value);
    if (known === "open") throw new Error("it refers to itself; spell out the levels that you need.");
    if (known !== undefined) return known;
    if (depth > maxDepth) throw new Error(`its references go more than ${maxDepth} levels deep.`);
    sizes.set(value, "open");
    let size = 1;
    for (const [key, member] of Object.entries(value)) {
      size += key === "uniqueItems" ? uniqueItemsSize : sizeOf(member, depth + 1);
      if (typeof member === "string") size += referredSize(key, member, depth + 1);
    }
    sizes.set(value, size);
    return size;
  }

  function referredSize(key: string, text: string, depth: number): number {
    if (key === "$ref") return sizeOf(resolve(root, text), depth);
    if (key === "$dynamicRef" || key === "$recursiveRef" || key === "$id") {
      throw new Error(`it has ${key}, which is not supported; use $ref with a path such as #/$defs/name.`);
    }
    return 0;
  }

  return sizeOf(root, 0);
}

function resolve(root: object, reference: string): unknown {
  if (reference === "#" || reference === "#/") return root;
  if (!reference.startsWith("#/")) {
    throw new Error(`it refers to ${reference}; only paths such as #/$defs/name are supported.`);
  }
  let value: unknown = root;
  for (const part of reference.slice(2).split("/")) {
    const name = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) {
      throw new Error(`it refers to ${reference}, which is not in it.`);
    }
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
