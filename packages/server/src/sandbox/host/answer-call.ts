import type { IncomingMessage, ServerResponse } from "node:http";
import { asBerthError, BerthError } from "../../lib/errors.ts";
import { BodyError, readBody } from "../protocol/body.ts";
import { envelopeOf, statusOf } from "../protocol/errors.ts";
import { wireLimits } from "../protocol/wire.ts";
import { type Admission, authenticate, authorize, checkVersion, readAddress, useToken } from "./admit.ts";
import type { HostCall, HostContext } from "./context.ts";
import { fileHandlers } from "./file-handlers.ts";
import type { Handler } from "./handlers.ts";
import { hostHandlers, workspaceHandlers } from "./host-handlers.ts";
import { type RawHandler, rawHandlers } from "./raw-handlers.ts";
import { lifeHandlers, sandboxHandlers } from "./sandbox-handlers.ts";

type AnyHandler = (Handler & { readonly raw?: false }) | (RawHandler & { readonly raw: true });

const jsonHandlers: readonly AnyHandler[] = [
  ...hostHandlers,
  ...workspaceHandlers,
  ...lifeHandlers,
  ...sandboxHandlers,
  ...fileHandlers,
];
const handlers: ReadonlyMap<string, AnyHandler> = new Map(
  [...jsonHandlers, ...rawHandlers.map((handler): AnyHandler => ({ ...handler, raw: true }))].map(
    (handler) => [`${handler.call.on}/${handler.call.name}`, handler],
  ),
);

/** Answers one call: who calls, what is called, whether it is allowed, and only then the body. Never rejects. */
export async function answerCall(
  context: HostContext,
  admission: Admission,
  exchange: { readonly request: IncomingMessage; readonly response: ServerResponse },
): Promise<{ readonly name: string; readonly failed: BerthError | null }> {
  const { request, response } = exchange;
  let name = "unknown";
  try {
    const claims = await authenticate(request, admission);
    checkVersion(request);
    const address = readAddress(request.url ?? "");
    const found = address === null ? undefined : handlers.get(address.path);
    if (address === null || found === undefined || request.method !== "POST") {
      throw new BerthError("call_not_found", "There is no such call.");
    }
    name = address.path;
    await authorize(context, { call: found.call, id: address.id }, claims);
    const { args, tail } = await readArguments(request, found);
    useToken(admission, found.call, claims);
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const call: HostCall<unknown> = { args, tail, claims, id: address.id, signal: gone.signal };
    if (found.raw === true) await found.handle(context, call, response);
    else {
      const result = (await found.handle(context, call)) ?? null;
      sendJson(response, 200, { result }, found.call.most);
    }
    return { name, failed: null };
  } catch (thrown) {
    refuse(response, thrown);
    return { name, failed: asBerthError(thrown) };
  }
}

async function readArguments(
  request: IncomingMessage,
  { call }: AnyHandler,
): Promise<Pick<HostCall<unknown>, "args" | "tail">> {
  try {
    const { args, tail } = await readBody(request as AsyncIterable<Buffer>, call.tail);
    const parsed = call.args.safeParse(args);
    if (parsed.success) return { args: parsed.data, tail };
    const [issue] = parsed.error.issues;
    const where = issue?.path.join(".") ?? "";
    throw new BerthError("call_invalid", `The call is not as it must be: ${where} ${issue?.message ?? ""}`);
  } catch (thrown) {
    if (!(thrown instanceof BodyError)) throw thrown;
    throw new BerthError(thrown.reason === "too_large" ? "call_too_large" : "call_invalid", thrown.message);
  }
}

/** Refusals of calls themselves, which are told as they are; what a provider refuses goes through `envelopeOf`. */
const refusals: Readonly<Record<string, number>> = {
  unauthenticated: 401,
  forbidden: 403,
  call_not_found: 404,
  call_invalid: 422,
  call_too_large: 413,
  token_used: 401,
  protocol_mismatch: 426,
};

/** Answers with an error. What is left of the body is not waited for. */
export function refuse(response: ServerResponse, thrown: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  if (!response.req.complete) response.setHeader("connection", "close");
  const status = thrown instanceof BerthError ? refusals[thrown.code] : undefined;
  if (thrown instanceof BerthError && status !== undefined) {
    const { code, message } = thrown;
    sendJson(response, status, { error: { code, message, retryable: false } });
  } else {
    const envelope = envelopeOf(thrown);
    sendJson(response, statusOf(envelope.error.code), envelope);
  }
}

function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  most: number = wireLimits.answer,
): void {
  const body = Buffer.from(JSON.stringify(value));
  if (body.length > most) {
    refuse(
      response,
      new BerthError("file_too_large", "The answer would be too large; ask for less at once."),
    );
    return;
  }
  response.writeHead(status, { "content-type": "application/json", "content-length": body.length });
  response.end(body);
}
