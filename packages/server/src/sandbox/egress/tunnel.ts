import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { EgressReason } from "../egress-decision.ts";
import { dial, DialTimeout } from "./dial.ts";
import { type Gate, isFailure, judge, type Passage } from "./gate.ts";
import { oddRequest } from "./headers.ts";
import { whenIdle } from "./idle.ts";
import { refusalBytes, refusalOf } from "./refusal.ts";
import type { Decided } from "./reports.ts";
import { isHeaderOf, type NoTarget, type Target, tunnelTarget } from "./target.ts";

/** CONNECT: a connection whose bytes the proxy does not look into. Never rejects. */
export async function tunnel(
  gate: Gate,
  request: IncomingMessage,
  client: Duplex,
  head: Buffer,
): Promise<void> {
  client.on("error", () => client.destroy());
  const target = tunnelTarget(request.url ?? "");
  const place = { host: target.host, port: "port" in target ? target.port : 0, method: "CONNECT" };
  const refuse = (reason: EgressReason) => {
    const verdict = isFailure(reason) ? "allowed" : "denied";
    gate.reports.decided({ ...place, verdict, reason, address: null });
    const { status, text } = refusalOf(reason, place.host);
    client.end(refusalBytes(status, text), () => client.destroy());
  };
  const odd = oddTunnel(request, target);
  if (odd !== null || "reason" in target) return refuse(odd ?? "bad_target");
  if (gate.passages.size >= gate.limits.connections) return refuse("too_many_connections");

  const stop = new AbortController();
  const passage: Passage = { target, end: () => client.destroy() };
  gate.passages.add(passage);
  client.once("close", () => stop.abort());
  try {
    const judged = await judge(gate, target);
    if ("refused" in judged) return refuse(judged.refused);
    // The policy may have changed while the name was looked up.
    if (typeof gate.policy.judge(target) === "string") return refuse("policy_changed");
    const { host, port } = target;
    const { addresses } = judged;
    const way = { host, port, addresses, tls: false, authorities: undefined };
    const { clock, limits } = gate;
    const opened = await dial({ ...way, clock, connectMs: limits.connectMs, signal: stop.signal });
    const decision: Decided = { ...place, verdict: "allowed", reason: "allowed", address: opened.address };
    gate.reports.decided(decision);
    client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    if (head.length > 0) opened.socket.write(head);
    await relay(gate, { client, upstream: opened.socket });
    const { bytesWritten, bytesRead } = opened.socket;
    gate.reports.moved(decision, { out: bytesWritten, in: bytesRead });
  } catch (error) {
    refuse(error instanceof DialTimeout ? "timeout" : "unreachable");
  } finally {
    gate.passages.delete(passage);
  }
}

function oddTunnel(request: IncomingMessage, target: Target | NoTarget): EgressReason | null {
  if ("reason" in target) return target.reason;
  const odd = oddRequest(request);
  if (odd !== null) return odd;
  const { host } = request.headers;
  return host === undefined || isHeaderOf(host, target) ? null : "host_mismatch";
}

/** Carries bytes both ways, each as fast as the other side takes them, until both have ended. */
async function relay(
  { clock, limits }: Gate,
  { client, upstream }: { client: Duplex; upstream: Socket },
): Promise<void> {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const cut = () => {
    client.destroy();
    upstream.destroy();
  };
  const progress = () => upstream.bytesRead + upstream.bytesWritten;
  let watch = whenIdle(clock, { ms: limits.idleMs, progress, call: cut });
  // Whoever is killed looks as if it listened still.
  const onEnd = () => {
    watch.cancel();
    watch = whenIdle(clock, { ms: limits.halfOpenMs, progress, call: cut });
  };
  client.once("end", onEnd);
  upstream.once("end", onEnd);
  client.on("close", () => {
    if (!client.readableEnded || !client.writableFinished) upstream.destroy();
  });
  upstream.on("error", cut);
  upstream.on("close", () => {
    if (!upstream.readableEnded) client.destroy();
    resolve();
  });
  // What happened before the listeners were there.
  if (client.destroyed) upstream.destroy();
  client.pipe(upstream);
  upstream.pipe(client);
  await closed;
  watch.cancel();
}
