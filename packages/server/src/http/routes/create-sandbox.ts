import { createSandboxBody, sandbox } from "@berth/contract";
import { createSandbox } from "../../operations/sandboxes.ts";
import { endpoint } from "../endpoint.ts";
import { waitLong } from "../wait-long.ts";

export const createSandboxRoute = endpoint({
  id: "createSandbox",
  method: "post",
  path: "/api/v1/sandboxes",
  tag: "sandboxes",
  summary: "Gives a session its sandbox now",
  description:
    "Without this it gets one with the first command that needs it. Where none is free it is waited for, as long as the server's settings say.",
  body: createSandboxBody,
  replies: {
    200: { description: "The one that the session had already.", schema: sandbox },
    201: { description: "The new one.", schema: sandbox },
  },
  problems: [
    ...(["session_not_found", "sandbox_quota", "sandbox_capacity", "sandbox_unavailable"] as const),
    ...(["sandbox_secret_not_found", "sandbox_secret_host"] as const),
    ...(["sandbox_lost", "sandbox_host_error", "sandbox_timeout", "sandbox_gone"] as const),
  ],
  async handle({ operations, principal, body, origin, request }) {
    waitLong(request);
    const made = await createSandbox(operations, principal, { ...body, origin });
    const headers = { location: `/api/v1/sandboxes/${made.sandbox.id}` };
    return { status: made.created ? 201 : 200, body: made.sandbox, headers };
  },
});
