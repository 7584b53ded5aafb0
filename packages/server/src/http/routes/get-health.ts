import { z } from "zod";
import { endpoint } from "../endpoint.ts";

const health = z.strictObject({ status: z.literal("ok") });

export const getHealth = endpoint({
  id: "getHealth",
  method: "get",
  path: "/healthz",
  tag: "server",
  summary: "Answers while the process lives",
  access: "open",
  rate: "none",
  replies: { 200: { description: "The process answers.", schema: health } },
  handle: () => ({ status: 200, body: { status: "ok" } }) as const,
});
