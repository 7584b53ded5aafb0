/**
 * What may move a cursor, change colours, hide or turn text round: C0 and C1 controls but tab and newline, bidirectional marks,
 * and characters without any width that are no part of an emoji.
 */
const unsafe =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** Text of a model, a tool or a user, safe to write to a terminal. */
export function safeText(text: string): string {
  return text.replace(unsafe, "");
}

/** On one line, at most `width` characters. */
export function oneLine(text: string, width: number): string {
  const flat = safeText(text).replace(/\s+/g, " ").trim();
  const characters = Array.from(flat);
  return characters.length <= width ? flat : `${characters.slice(0, Math.max(0, width - 1)).join("")}…`;
}

/** A value as JSON in which nothing hides: what a person approves is what they see. */
export function exactJson(value: unknown): string {
  const json = JSON.stringify(value, null, 2) ?? "undefined";
  // JSON escapes C0 by itself, and its own newlines are the only ones.
  return json.replace(/[^\n\P{C}]|[\p{Zl}\p{Zp}\u061c]/gu, escaped);
}

function escaped(characters: string): string {
  return [...Array(characters.length).keys()]
    .map((at) => `\\u${characters.charCodeAt(at).toString(16).padStart(4, "0")}`)
    .join("");
}
