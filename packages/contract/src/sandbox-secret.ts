import { z } from "zod";
import { egressHost, sandboxSecretName } from "./agent-sandbox.ts";
import { timestamp } from "./id.ts";

/** What is written of a secret that sandboxes may use. Nothing of it is ever read again but its name and hosts. */
export const sandboxSecretBody = z.strictObject({
  value: z
    .string()
    .min(8)
    .max(4_096)
    .regex(/^[\u0021-\u007e]+$/, "must be visible ASCII characters, as it is sent in headers")
    .describe("only written"),
  hosts: z
    .array(egressHost)
    .min(1)
    .max(20)
    .describe("where it may be sent; an agent's definition can only narrow it"),
});
export type SandboxSecretBody = z.infer<typeof sandboxSecretBody>;

export const sandboxSecret = z.strictObject({
  name: sandboxSecretName,
  hosts: z
    .array(z.string())
    .nullable()
    .describe("where it may be sent; null: it cannot be opened, write it again"),
  createdAt: timestamp,
  updatedAt: timestamp.describe("when its value was written last"),
});
export type SandboxSecret = z.infer<typeof sandboxSecret>;
