import { z } from "zod";
import { idSchema } from "./id.ts";

const toolUseId = idSchema("toolUse");
const messageId = idSchema("message");

/** Data of the events that exist only on the wire while they happen. */
const deltaPlace = {
  messageId,
  blockId: z.int().nonnegative(),
  attempt: z
    .int()
    .describe(
      "a higher attempt replaces the block's text, a lower one is dropped; in billions it is the epoch, as session.resumed names it",
    ),
  offset: z.int().nonnegative().describe("UTF-16 code units of this block before this delta"),
};
export const liveEvents = {
  "agent.thinking.delta": z.strictObject({ ...deltaPlace, text: z.string() }),
  "agent.message.delta": z.strictObject({ ...deltaPlace, text: z.string() }),
  "agent.tool_use.delta": z.strictObject({ ...deltaPlace, toolUseId, name: z.string(), text: z.string() }),
  "agent.tool_progress": z.strictObject({ toolUseId, text: z.string(), offset: z.int().nonnegative() }),
  "session.status": z.strictObject({
    status: z.enum(["idle", "running", "waiting", "archived", "quarantined"]),
  }),
  "breakpoint.changed": z.strictObject({
    breakpoint: z.enum([
      "ready",
      "pre_model",
      "streaming_model",
      "tool_pending",
      "awaiting_approval",
      "pre_tool",
      "tool_executing",
      "post_tool",
    ]),
  }),
} as const;

export type LiveType = keyof typeof liveEvents;
export type LiveData<T extends LiveType> = z.infer<(typeof liveEvents)[T]>;
