import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { EgressReason } from "../egress-decision.ts";
import { dial, DialTimeout } from "./dial.ts";
import { firstByte } from "./first-byte.ts";
import { type Gate, isFailure, judge, type Passage } from "./gate.ts";
import { oddRequest } from "./headers.ts";
import { whenIdle } from "./idle.ts";
import { refusalBytes, refusalOf } from "./refusal.ts";
import type { Decided } from "./reports.ts";
import { isHeaderOf, type NoTarget, type Target, tunnelTarget } from "./target.ts";

interface Asked {
  readonly request: IncomingMessage;
  readonly client: Duplex;
  readonly head: Buffer;
}

const established = "HTTP/1.1 200 Connection Established\r\n\r\n";
/** What a TLS connection begins with: a record of the kind handshake. */
const handshake = 0x16;

/**
 * CONNECT: a connection whose bytes the proxy does not look into. But for places that get secrets, where programs that tunnel plain
 * requests too (Node's fetch does) are answered as if they had not. Never rejects.
 */
export async function tunnel(gate: Gate, { request, client, head }: Asked): Promise<void> {
  client.on("error", () => client.destroy());
  const target = tunnelTarget(request.url ?? "");
  const place = { host: target.host, port: "port" in target ? target.port : 0, method: "CONNECT" };
  let stands = false;
  const refuse = (reason: EgressReason) => {
    const verdict = isFailure(reason) ? "failed" : "denied";
    gate.reports.decided({ ...place, verdict, reason, address: null });
    if (stands) return void client.destroy();
    const { status, text } = refusalOf(reason, place.host);
    client.end(refusalBytes(status, text), () => client.destroy());
  };
  const odd = gate.inside.has(client) ? "bad_request" : oddTunnel(request, target);
  if (odd !== null || "reason" in target) return refuse(odd ?? "bad_target");
  if (gate.passages.size >= gate.limits.connections) return refuse("too_many_connections");

  const stop = new AbortController();
  const passage: Passage = { target, end: () => client.destroy() };
  gate.passages.add(passage);
  client.once("close", () => stop.abort());
  if (head.length > 0) client.unshift(head);
  try {
    if (getsSecrets(gate, target)) {
      client.write(established);
      stands = true;
      const first = await firstByte(client, gate);
      if (first === null) return void client.destroy();
      if (first !== handshake) return gate.handOver(client, target);
    }
    const judged = await judge(gate, target);
    if ("refused" in judged) return refuse(judged.refused);
    // The policy may have changed while the name was looked up.
    if (typeof gate.policy.judge(target) === "string") return refuse("policy_changed");
    const { host, port } = target;
    const way = { host, port, addresses: judged.addresses, tls: false, authorities: undefined };
    const { clock, limits } = gate;
    const opened = await dial({ ...way, clock, connectMs: limits.connectMs, signal: stop.signal });
    const decision: Decided = { ...place, verdict: "allowed", reason: "allowed", address: opened.address };
    gate.reports.decided(decision);
    if (!stands) client.write(established);
    stands = true;
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

function getsSecrets({ policy }: Gate, target: Target): boolean {
  const plain = policy.judge({ ...target, kind: "plain" });
  return typeof plain !== "string" && plain.secrets.length > 0;
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
