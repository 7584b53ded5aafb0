import type { ContentPart } from "@berth/contract";
import type { ModelMessage } from "../model.ts";

export function textOf(content: readonly ContentPart[]): string {
  return content.map((part) => (part.type === "text" ? part.text : `[${part.type}]`)).join("\n");
}

/** Index of the newest message of the user that fits, -1 when none does. */
export function lastUserMessage(messages: readonly ModelMessage[], fits: (text: string) => boolean): number {
  return messages.findLastIndex((message) => message.role === "user" && fits(textOf(message.content)));
}

/** How often the model has answered since a message. */
export function answersSince(messages: readonly ModelMessage[], index: number): number {
  return messages.slice(index + 1).filter((message) => message.role === "assistant").length;
}
