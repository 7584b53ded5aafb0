import type { ToolContent } from "@berth/contract";
import type { ContextItem } from "./state.ts";

/** What V8 spends, as heap snapshots of 64-bit Node 24 show it: a string's head, an object and an array without what is in them. Bytes. */
const stringBytes = 16;
const objectBytes = 24;
const arrayBytes = 48;

/**
 * Measured size of a plain value in bytes, besides the place where it stands: strings by length (one byte a character, two when any is
 * above U+00FF), in whole words; small numbers, booleans and null stand in their place.
 */
export function bytesOf(value: unknown): number {
  if (typeof value === "string")
    return stringBytes + 8 * Math.ceil((isNarrow(value) ? value.length : 2 * value.length) / 8);
  if (value === null || typeof value !== "object") return 0;
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + 8 + bytesOf(item), arrayBytes);
  let sum = objectBytes;
  for (const key in value) sum += 8 + bytesOf((value as Record<string, unknown>)[key]);
  return sum;
}

const wide = /[^\u0000-\u00ff]/;
function isNarrow(text: string): boolean {
  return !wide.test(text);
}

/** An image or a file costs a model about this much, whatever its bytes. */
const tokensPerPart = 1_000;

/** Characters of a token, on average over English text and code. */
const charactersPerToken = 4;

function contentTokens(content: ToolContent): number {
  if (typeof content === "string") return textTokens(content);
  return content.reduce(
    (sum, part) => sum + (part.type === "text" ? textTokens(part.text) : tokensPerPart),
    0,
  );
}

/** Estimated tokens of a text. */
export function textTokens(text: string): number {
  return Math.ceil(text.length / charactersPerToken);
}

/** Estimated tokens of one context item; corrected by what the provider reports. */
export function itemTokens(item: ContextItem): number {
  const overhead = 4;
  switch (item.kind) {
    case "user":
    case "system":
      return overhead + contentTokens(item.content);
    case "summary":
    case "text":
    case "thinking":
      return overhead + textTokens(item.text);
    case "tool_use":
      return overhead + textTokens(item.name) + textTokens(JSON.stringify(item.input) ?? "");
    case "tool_result":
      return overhead + contentTokens(item.content) + textTokens(item.note ?? "");
  }
}
