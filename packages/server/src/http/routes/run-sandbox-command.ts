import { execBody, execResult } from "@berth/contract";
import type { Principal } from "../../auth/principal.ts";
import { sandboxFor } from "../../operations/sandbox-access.ts";
import { runCommand } from "../../operations/sandbox-commands.ts";
import { commandEnded } from "../../operations/unless-stopping.ts";
import { endpoint } from "../endpoint.ts";
import { commandOutput } from "../output-stream.ts";
import { sandboxPath } from "../path-params.ts";
import { defined } from "../query.ts";
import { wantsEvents } from "../request-headers.ts";
import { waitLong } from "../wait-long.ts";

export const runSandboxCommandRoute = endpoint({
  id: "runSandboxCommand",
  method: "post",
  path: "/api/v1/sandboxes/{sandboxId}/exec",
  tag: "sandboxes",
  repeats: true,
  summary: "Runs a command in a sandbox, to its end",
  description:
    "With `Accept: text/event-stream` the output comes while it runs: `event: output` with `{offset, text}`, then `event: result` with what is the reply otherwise, or `event: end` with `{code, message}` when it came to nothing. The command is ended when its caller goes: what should go on is a process. A repetition runs it again.",
  params: sandboxPath,
  body: execBody,
  replies: { 200: { description: "How it ended, or the stream.", schema: execResult } },
  problems: [
    ...(["sandbox_not_found", "too_many_processes", "sandbox_lost", "sandbox_unsupported"] as const),
    ...(["sandbox_secret_not_found", "sandbox_secret_host"] as const),
    ...(["path_invalid", "not_a_directory", "too_many_streams", "sandbox_host_error"] as const),
  ],
  async handle({ operations, context, principal, params, body, origin, request, requestId }) {
    const { sandboxId } = params;
    const { stdin, ...rest } = defined(body);
    const spec = { ...rest, ...(stdin !== undefined && { stdin: Buffer.from(stdin) }) };
    if (!wantsEvents(request.headers)) {
      waitLong(request);
      const asked = { sandboxId, spec: { ...spec, signal: origin.signal }, origin };
      return { status: 200, body: await runCommand(operations, principal, asked) };
    }
    const allowed = (now: Principal) =>
      sandboxFor({ context: operations, principal: now, id: sandboxId, permission: "session:write" });
    await allowed(principal);
    const begin = commandOutput((live) =>
      runCommand(operations, principal, { sandboxId, spec: { ...spec, ...live }, origin }),
    );
    const stream = { request, requestId, principal, allowed, stopped: commandEnded(), begin };
    return { raw: await context.streams.output(stream) };
  },
});
