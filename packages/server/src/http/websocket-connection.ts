import { clientFrame, type ServerFrame } from "@berth/contract";
import type { z } from "zod";
import type { Peer } from "../auth/peer.ts";
import type { Principal } from "../auth/principal.ts";
import { BerthError, unreachable } from "../lib/errors.ts";
import type { OperationsContext } from "../operations/context.ts";
import { followHints } from "../operations/follow-hints.ts";
import type { Following, FollowRequest } from "../operations/follow-events.ts";
import { sendInputs } from "../operations/send-inputs.ts";
import { noteRefusal } from "./note-refusal.ts";
import type { Edge } from "./edge.ts";
import { parseJson } from "./parse-json.ts";
import type { StreamSettings } from "./stream-settings.ts";
import { validate } from "./validate.ts";
import { errorFrame } from "./websocket-frames.ts";
import { SessionSubscription } from "./websocket-subscription.ts";
import type { WebSocketWire } from "./websocket-wire.ts";

/** What a client's frames need. */
export interface SocketContext {
  readonly operations: OperationsContext;
  readonly following: Following;
  readonly settings: StreamSettings;
  /** Nested arrays and objects of a frame. */
  readonly jsonDepth: number;
  readonly edge: Edge;
}

/** Something that a client follows; null: a list. */
interface Subscription {
  readonly sessionId: string | null;
  stop(): void;
}

type Frame = z.output<typeof clientFrame>;
type Subscribe = Extract<Frame, { op: "subscribe" }>;

/** One client's WebSocket: its subscriptions and what it sends. Frames are answered in the order in which they came. */
export class WebSocketConnection {
  readonly #context: SocketContext;
  readonly #principal: Principal;
  readonly #peer: Peer;
  readonly #wire: WebSocketWire;
  /** The session that a socket of one session is for; null: the multiplexed one. */
  readonly #sessionId: string | null;
  readonly #subscriptions = new Map<string, Subscription>();
  #over = false;

  constructor(
    context: SocketContext,
    options: {
      principal: Principal;
      peer: Peer;
      wire: WebSocketWire;
      sessionId: string | null;
    },
  ) {
    this.#context = context;
    this.#principal = options.principal;
    this.#peer = options.peer;
    this.#wire = options.wire;
    this.#sessionId = options.sessionId;
  }

  /** Follows a session under an id of the caller's choice. Rejects as `Following.open` does. */
  async followSession(id: string, request: FollowRequest): Promise<void> {
    const opened = await this.#context.following.open(this.#principal, request);
    if (this.#over) return;
    if (opened.kind === "nothing") {
      this.#wire.send({ op: "subscribed", id });
      this.#wire.send({ op: "end", id, code: "archived", message: "The session is archived." });
      return;
    }
    const onEnd = () => this.#subscriptions.delete(id);
    const subscription = new SessionSubscription({ id, wire: this.#wire, onEnd });
    const { sessionId } = request;
    this.#subscriptions.set(id, { sessionId, stop: () => subscription.stop() });
    this.#wire.send({ op: "subscribed", id, cursor: opened.cursor });
    subscription.follow(opened.start(subscription));
  }

  /** Answers one message of the client. Never rejects. */
  async receive(message: Buffer, isBinary: boolean): Promise<void> {
    let id: string | undefined;
    let value: unknown;
    try {
      if (isBinary) throw new BerthError("validation_failed", "Send frames as text, not as bytes.");
      value = parseJson(message, this.#context.jsonDepth);
      id = idOf(value);
      const frame = validate(clientFrame, value, "body");
      const { admission } = this.#context.edge;
      const kind = frame.op === "send" ? "write" : "read";
      if (frame.op !== "ping") await admission.admit(this.#principal, this.#peer, kind);
      await this.#answer(frame);
    } catch (thrown) {
      this.#fail(await this.#noted(thrown, value), id);
    }
  }

  /** The sessions that it follows now. */
  *followed(): Iterable<string> {
    for (const { sessionId } of this.#subscriptions.values()) if (sessionId !== null) yield sessionId;
  }

  /** The caller may see a session no more. */
  lose(sessionId: string, { message }: BerthError): void {
    for (const [id, subscription] of this.#subscriptions) {
      if (subscription.sessionId !== sessionId) continue;
      subscription.stop();
      this.#subscriptions.delete(id);
      this.#wire.send({ op: "end", id, code: "access_revoked", message });
    }
  }

  /** The client is gone, or the server stops. */
  stop(): void {
    this.#over = true;
    for (const subscription of this.#subscriptions.values()) subscription.stop();
    this.#subscriptions.clear();
  }

  async #answer(frame: Frame): Promise<void> {
    switch (frame.op) {
      case "ping":
        return this.#wire.send({ op: "pong", ...(frame.id !== undefined && { id: frame.id }) });
      case "subscribe":
        return this.#subscribe(frame);
      case "unsubscribe":
        return this.#unsubscribe(frame.id);
      case "send":
        return this.#send(frame);
      default:
        unreachable(frame);
    }
  }

  async #subscribe(frame: Subscribe): Promise<void> {
    if (this.#sessionId !== null)
      throw refused("This WebSocket is for one session: subscribe at /api/v1/ws.");
    const { maxSubscriptions } = this.#context.settings;
    if (this.#subscriptions.has(frame.id)) throw refused(`There is a subscription ${frame.id} already.`);
    if (this.#subscriptions.size >= maxSubscriptions) {
      throw new BerthError(
        "too_many_streams",
        `A WebSocket carries ${maxSubscriptions} subscriptions: end one or open another WebSocket.`,
      );
    }
    if ("topic" in frame) return this.#followHints(frame);
    const { id, sessionId, after = null } = frame;
    return this.followSession(id, { sessionId, after, filter: {} });
  }

  async #followHints({ id, topic }: Extract<Subscribe, { topic: string }>): Promise<void> {
    const call = (sessionId: string) => this.#wire.send({ op: "hint", id, topic, sessionId });
    const stop = await followHints(this.#context.operations, this.#principal, { topic, call });
    if (this.#over) return stop();
    this.#subscriptions.set(id, { sessionId: null, stop });
    this.#wire.send({ op: "subscribed", id });
  }

  #unsubscribe(id: string): void {
    const subscription = this.#subscriptions.get(id);
    if (subscription === undefined) return;
    subscription.stop();
    this.#subscriptions.delete(id);
    this.#wire.send({ op: "end", id, code: "unsubscribed", message: "You asked for it." });
  }

  async #send({ id, sessionId, events }: Extract<Frame, { op: "send" }>): Promise<void> {
    const target = sessionId ?? this.#sessionId;
    if (target === null) throw refused("Say which session this is for: sessionId is missing.");
    if (this.#sessionId !== null && target !== this.#sessionId) {
      throw refused("This WebSocket is for one session: send to others at /api/v1/ws.");
    }
    const origin = { idempotency: null, traceparent: null, requestId: null, address: this.#peer.address };
    const sent = await sendInputs(this.#context.operations, this.#principal, {
      sessionId: target,
      events,
      origin,
    });
    this.#wire.send({ op: "accepted", id, inputs: [...sent.inputs] });
  }

  /** What to answer once a refused access is in the audit log. */
  #noted(thrown: unknown, frame: unknown): Promise<unknown> {
    const sessionId = textOf(frame, "sessionId") ?? this.#sessionId;
    return noteRefusal(this.#context.operations, {
      thrown,
      principal: this.#principal,
      route: `WS ${textOf(frame, "op") ?? ""}`,
      params: sessionId === null ? {} : { sessionId },
      requestId: null,
      address: this.#peer.address,
    });
  }

  #fail(thrown: unknown, id: string | undefined): void {
    const frame: ServerFrame = errorFrame(thrown, id);
    if (frame.op === "error" && frame.code === "internal") {
      this.#context.operations.telemetry.unexpectedError({ where: "http.websocket", error: thrown });
    }
    this.#wire.send(frame);
  }
}

/** The id of a frame that may be wrong otherwise, so that its sender knows which one it was. */
function idOf(value: unknown): string | undefined {
  const id = textOf(value, "id");
  return id !== null && id.length <= 64 ? id : undefined;
}

function textOf(value: unknown, name: string): string | null {
  const text: unknown = typeof value === "object" && value !== null ? Reflect.get(value, name) : null;
  return typeof text === "string" ? text : null;
}

function refused(message: string): BerthError {
  return new BerthError("validation_failed", message);
}
