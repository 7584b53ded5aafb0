import { type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import type { EgressReason } from "../egress-decision.ts";
import { dial, DialTimeout, NoTls } from "./dial.ts";
import { type Gate, isFailure, judge, type Passage } from "./gate.ts";
import { oddRequest, requestHeaders, responseHeaders } from "./headers.ts";
import { whenIdle } from "./idle.ts";
import { fillPlaceholders, mentions, strikeSecrets } from "./placeholders.ts";
import type { Grant } from "./policy.ts";
import { refusalOf } from "./refusal.ts";
import { hostHeader, innerTarget, isHeaderOf, plainTarget, type NoTarget, type Target } from "./target.ts";

/** A request that the proxy reads, judges and sends on by itself. Never rejects. */
export async function forward(gate: Gate, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "" } = request;
  const inside = gate.inside.get(request.socket);
  const target =
    inside === undefined ? plainTarget(request.url ?? "") : innerTarget(request.url ?? "", inside);
  const place = { host: target.host, port: "port" in target ? target.port : 0, method };
  const refuse = (reason: EgressReason) => {
    const verdict = isFailure(reason) ? "failed" : "denied";
    gate.reports.decided({ ...place, verdict, reason, address: null });
    answer(response, reason, place.host);
  };
  const odd = oddPlain(request, target);
  if (odd !== null || "reason" in target) return refuse(odd ?? "bad_target");
  if (gate.passages.size >= gate.limits.connections) return refuse("too_many_connections");

  const stop = new AbortController();
  const passage: Passage = { target, end: () => request.socket.destroy() };
  gate.passages.add(passage);
  response.once("close", () => stop.abort());
  try {
    const judged = await judge(gate, target);
    if ("refused" in judged) return refuse(judged.refused);
    // The policy may have changed while the name was looked up.
    const grant = gate.policy.judge(target);
    if (typeof grant === "string" || !isSameWay(grant, judged.grant)) return refuse("policy_changed");
    noteStrangers(gate, { request, target, grant });
    const { clock, limits, authorities } = gate;
    const { port, tls } = grant;
    const way = { host: target.host, port, addresses: judged.addresses, tls, authorities };
    const opened = await dial({ ...way, clock, connectMs: limits.connectMs, signal: stop.signal });
    const decision = { ...place, verdict: "allowed", reason: "allowed", address: opened.address } as const;
    gate.reports.decided(decision);
    try {
      await exchange(gate, {
        request,
        response,
        target,
        grant,
        upstream: opened.socket,
        signal: stop.signal,
      });
    } finally {
      const { bytesWritten, bytesRead } = opened.socket;
      opened.socket.destroy();
      gate.reports.moved(decision, { out: bytesWritten, in: bytesRead });
    }
  } catch (error) {
    if (response.headersSent) response.destroy();
    else refuse(failureOf(error));
  } finally {
    gate.passages.delete(passage);
  }
}

/** The upstream took too long. */
class Silence extends Error {}

function failureOf(error: unknown): EgressReason {
  if (error instanceof NoTls) return "no_tls";
  return error instanceof DialTimeout || error instanceof Silence ? "timeout" : "unreachable";
}

function oddPlain(request: IncomingMessage, target: Target | NoTarget): EgressReason | null {
  const odd = oddRequest(request);
  if (odd !== null) return odd;
  if ("reason" in target) return target.reason;
  return isHeaderOf(request.headers.host ?? "", target) ? null : "host_mismatch";
}

function isSameWay(one: Grant, other: Grant): boolean {
  return one.port === other.port && one.tls === other.tls;
}

interface Asked {
  readonly request: IncomingMessage;
  readonly target: Target;
  readonly grant: Grant;
}

/** Placeholders of secrets that are for other hosts stay as they are, and somebody should know. */
function noteStrangers(gate: Gate, { request, target, grant }: Asked): void {
  const { host, port, path } = target;
  const own = new Set(grant.secrets.map(({ placeholder }) => placeholder));
  const strangers = gate.policy.secrets.filter(({ placeholder }) => !own.has(placeholder));
  if (!mentions({ headers: request.rawHeaders, path }, strangers)) return;
  const { method = "" } = request;
  gate.reports.decided({ host, port, method, verdict: "denied", reason: "secret_elsewhere", address: null });
}

interface Exchange extends Asked {
  readonly response: ServerResponse;
  readonly upstream: Socket;
  readonly signal: AbortSignal;
}

async function exchange(gate: Gate, parts: Exchange): Promise<void> {
  const { request, response, target, grant, upstream, signal } = parts;
  const { clock, limits } = gate;
  const { secrets } = grant;
  const host = hostHeader(target.host, grant.port, grant.tls ? 443 : 80);
  const asked = httpRequest({
    createConnection: () => upstream,
    method: request.method ?? "GET",
    path: target.path,
    headers: fillPlaceholders(requestHeaders(request, host), secrets),
    setHost: false,
    insecureHTTPParser: false,
    maxHeaderSize: limits.headerBytes,
  });
  const fail = (error: Error) => void asked.destroy(error);
  const onAbort = () => fail(new Error("nobody waits for it"));
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  const idle = whenIdle(clock, {
    ms: limits.idleMs,
    progress: () => upstream.bytesRead + upstream.bytesWritten,
    call: () => fail(new Silence()),
  });
  const silence = { timer: { cancel: () => {} } };
  asked.once("finish", () => {
    silence.timer = clock.after(limits.firstByteMs, () => fail(new Silence()));
  });
  try {
    const answered = answerOf(asked);
    // Its failure is the request's own, which `answered` tells.
    pipeline(request, asked).catch(() => {});
    const found = await answered;
    silence.timer.cancel();
    response.sendDate = false;
    response.writeHead(found.statusCode ?? 502, strikeSecrets(responseHeaders(found), secrets));
    await pipeline(found, response);
  } finally {
    idle.cancel();
    silence.timer.cancel();
    signal.removeEventListener("abort", onAbort);
    asked.on("error", () => {});
    asked.destroy();
  }
}

function answerOf(asked: ReturnType<typeof httpRequest>): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  asked.once("response", resolve);
  asked.once("error", reject);
  asked.once("close", () => reject(new Error("closed without an answer")));
  return promise;
}

function answer(response: ServerResponse, reason: EgressReason, place: string): void {
  if (response.destroyed) return;
  const { status, text } = refusalOf(reason, place);
  const length = String(Buffer.byteLength(text));
  const headers = {
    "content-type": "text/plain; charset=utf-8",
    "content-length": length,
    connection: "close",
  };
  response.writeHead(status, headers).end(text);
}
