import { requirePermission } from "../../auth/permissions.ts";
import { endpoint } from "../endpoint.ts";

export const getMetrics = endpoint({
  id: "getMetrics",
  method: "get",
  path: "/metrics",
  tag: "server",
  summary: "Metrics for Prometheus",
  description: "Needs a key with `system:read`, unless the server is set to show its metrics to everybody.",
  access: "metrics",
  replies: { 200: { description: "The text format of Prometheus.", mediaType: "text/plain" } },
  async handle({ context, principal }) {
    if (!context.settings.openMetrics) requirePermission(principal, "system:read");
    const { metrics } = context.telemetry;
    return { raw: new Response(await metrics.text(), { headers: { "content-type": metrics.contentType } }) };
  },
});
