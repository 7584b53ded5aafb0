import { z } from "zod";
import { endpoint } from "../endpoint.ts";

const readiness = z.strictObject({ ready: z.boolean(), checks: z.record(z.string(), z.string()) });

export const getReadiness = endpoint({
  id: "getReadiness",
  method: "get",
  path: "/readyz",
  tag: "server",
  summary: "Says whether this server can take work",
  access: "open",
  rate: "none",
  replies: {
    200: { description: "It can.", schema: readiness },
    503: { description: "It starts, stops, or a part of it does not answer.", schema: readiness },
  },
  async handle({ context }) {
    const { ready, checks } = await context.readiness();
    return { status: ready ? 200 : 503, body: { ready, checks } };
  },
});
