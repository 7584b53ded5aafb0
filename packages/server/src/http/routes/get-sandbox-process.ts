import { processOutput } from "@berth/contract";
import { z } from "zod";
import type { Principal } from "../../auth/principal.ts";
import { sandboxFor } from "../../operations/sandbox-access.ts";
import { followProcess, readProcess } from "../../operations/sandbox-commands.ts";
import { endpoint } from "../endpoint.ts";
import { followOutput } from "../output-stream.ts";
import { processPath } from "../path-params.ts";
import { offsetOf, wantsEvents } from "../request-headers.ts";

const query = z.strictObject({
  offset: z.coerce.number().int().nonnegative().default(0).describe("of its output, where to begin"),
});

export const getSandboxProcessRoute = endpoint({
  id: "getSandboxProcess",
  method: "get",
  path: "/api/v1/sandboxes/{sandboxId}/processes/{processId}",
  tag: "sandboxes",
  summary: "A background process and its output",
  description:
    "With `Accept: text/event-stream` as it comes: `event: output` with `{offset, text}`, whose id is the offset to go on from after a disconnect (`Last-Event-ID`, which comes before `offset`); then `event: exit` with `{code, signal, reason}`. A gap between offsets is output that was not kept.",
  params: processPath,
  query,
  replies: { 200: { description: "The process, or the stream.", schema: processOutput } },
  problems: [
    ...(["sandbox_not_found", "process_not_found", "sandbox_lost", "too_many_streams"] as const),
    "sandbox_host_error",
  ],
  async handle({ operations, context, principal, params, query: { offset }, request, requestId }) {
    if (!wantsEvents(request.headers) || request.method === "HEAD") {
      return { status: 200, body: await readProcess(operations, principal, { ...params, offset }) };
    }
    const from = offsetOf(request.headers) ?? offset;
    const follow = await followProcess(operations, principal, { ...params, from });
    const allowed = (now: Principal) =>
      sandboxFor({
        context: operations,
        principal: now,
        id: params.sandboxId,
        permission: "session:read",
      });
    const begin = followOutput(follow);
    return { raw: await context.streams.output({ request, requestId, principal, allowed, begin }) };
  },
});
