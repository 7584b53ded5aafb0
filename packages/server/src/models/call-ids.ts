import type { ModelMessage } from "./model.ts";

/**
 * Names for the tool calls of one request: `call00001`, `call00002`, ... in order of appearance. The same conversation gets
 * the same names in every request, so that a provider's prompt cache holds. Nine letters and digits is what Mistral's models
 * insist on and what every other provider takes.
 */
export function callIds(messages: readonly ModelMessage[]): (id: string) => string {
  const names = new Map<string, string>();
  const nameOf = (id: string): string => {
    const known = names.get(id);
    if (known !== undefined) return known;
    const name = `call${String(names.size + 1).padStart(5, "0")}`;
    names.set(id, name);
    return name;
  };
  for (const message of messages) {
    if (message.role !== "assistant") continue;
    for (const part of message.content) if (part.type === "tool_call") nameOf(part.id);
  }
  return nameOf;
}
