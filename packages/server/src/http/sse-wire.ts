import type { ServerResponse } from "node:http";
import { heartbeat } from "./sse-bytes.ts";

/** What carries one event stream to its client. Nothing here throws or waits; on a wire that has ended nothing happens. */
export interface SseWire {
  write(bytes: Uint8Array): void;
  /** Bytes that the client has not taken. */
  readonly unsent: number;
  /** Calls once, later, when all that was written so far is taken. */
  afterTaken(call: () => void): void;
  /** Ends after what was written. */
  end(): void;
  /** Cuts at once. */
  cut(): void;
}

const nothing = () => {};

/** The bytes go straight to Node's response: no stream object and no promise for each client. `npm run bench -- sse` measures it. */
export class NodeWire implements SseWire {
  readonly #response: ServerResponse;
  #ended = false;

  /** `onGone` is called once, later, when the connection is over. */
  constructor(response: ServerResponse, onGone: () => void) {
    this.#response = response;
    // A response that fails closes too.
    response.on("error", nothing);
    if (response.destroyed) queueMicrotask(onGone);
    else response.on("close", onGone);
  }

  get unsent(): number {
    return this.#response.writableLength;
  }

  write(bytes: Uint8Array): void {
    if (!this.#ended) this.#response.write(bytes);
  }

  afterTaken(call: () => void): void {
    if (!this.#ended) this.#response.write(heartbeat, call);
  }

  end(): void {
    this.#ended = true;
    this.#response.end();
  }

  cut(): void {
    this.#ended = true;
    this.#response.destroy();
  }
}

/** For servers that are no Node server: a body that is read. */
export class WebWire implements SseWire {
  readonly body: ReadableStream<Uint8Array>;
  readonly #onGone: () => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #afterTaken: (() => void)[] = [];

  constructor(onGone: () => void) {
    this.#onGone = onGone;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (this.#controller = controller),
        pull: () => this.#pulled(),
        cancel: () => this.#gone(),
      },
      // With room for one byte the next pull comes when nothing is left.
      new ByteLengthQueuingStrategy({ highWaterMark: 1 }),
    );
  }

  get unsent(): number {
    return this.#controller === null ? 0 : Math.max(0, 1 - (this.#controller.desiredSize ?? 1));
  }

  write(bytes: Uint8Array): void {
    this.#controller?.enqueue(bytes);
  }

  afterTaken(call: () => void): void {
    this.#afterTaken.push(call);
    this.write(heartbeat);
  }

  end(): void {
    this.#controller?.close();
    this.#gone();
  }

  cut(): void {
    this.#controller?.error(new Error("the stream was cut"));
    this.#gone();
  }

  #pulled(): void {
    if (this.unsent > 0) return;
    for (const call of this.#afterTaken.splice(0)) queueMicrotask(call);
  }

  #gone(): void {
    if (this.#controller === null) return;
    this.#controller = null;
    queueMicrotask(this.#onGone);
  }
}
