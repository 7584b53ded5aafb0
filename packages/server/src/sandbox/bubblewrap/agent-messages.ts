import { z } from "zod";

const channel = z.int().min(1).max(0xffff_ffff);
const refusal = z.enum([
  "command_failed_to_start",
  "file_not_found",
  "not_a_directory",
  "path_invalid",
  "port_refused",
]);

/** All that an agent may say. What is not like this ends the connection, because then somebody else speaks for it. */
const agentMessage = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("ready") }),
  z.strictObject({ type: z.literal("started"), channel }),
  z.strictObject({ type: z.literal("failed"), channel, code: refusal }),
  z.strictObject({
    type: z.literal("end"),
    channel,
    code: z.int().min(0).max(255).nullable(),
    signal: z
      .string()
      .regex(/^SIG[A-Z0-9+-]{1,12}$/)
      .nullable(),
    /** Processes that could not be ended. */
    left: z.int().min(0).max(1_000_000),
  }),
  z.strictObject({ type: z.literal("pong"), channel }),
  z.strictObject({
    type: z.literal("ports"),
    channel,
    ports: z.array(z.int().min(1).max(65_535)).max(1_000),
  }),
]);

export type AgentMessage = z.infer<typeof agentMessage>;
export type Refusal = z.infer<typeof refusal>;

/** Null: this is no message. */
export function parseMessage(payload: Buffer): AgentMessage | null {
  try {
    const parsed = agentMessage.safeParse(JSON.parse(payload.toString("utf8")));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
