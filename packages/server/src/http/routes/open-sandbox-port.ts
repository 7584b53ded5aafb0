import { openPortBody, preview } from "@berth/contract";
import { openPort } from "../../operations/sandbox-ports.ts";
import { endpoint } from "../endpoint.ts";
import { sandboxPath } from "../path-params.ts";
import { ownOrigin } from "../peer.ts";

export const openSandboxPortRoute = endpoint({
  id: "openSandboxPort",
  method: "post",
  path: "/api/v1/sandboxes/{sandboxId}/ports",
  tag: "sandboxes",
  repeats: true,
  summary: "Opens a port of a sandbox to browsers",
  description:
    "The address has a host name of its own, so that what runs there shares nothing with the API's pages. Whoever has it gets in until it expires, the port is closed, the sandbox ends, or who opened it may use the sandbox no more.",
  params: sandboxPath,
  body: openPortBody,
  replies: { 201: { description: "The address.", schema: preview } },
  problems: ["sandbox_not_found", "sandbox_unsupported", "preview_not_configured", "too_many_previews"],
  async handle({ operations, principal, params, body, origin, request }) {
    const asked = { ...params, ...body, ownOrigin: ownOrigin(request), origin };
    return { status: 201, body: await openPort(operations, principal, asked) };
  },
});
