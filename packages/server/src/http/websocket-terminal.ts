import { type TerminalServerFrame, terminalClientFrame, terminalQuery } from "@berth/contract";
import type { z } from "zod";
import { asBerthError, BerthError } from "../lib/errors.ts";
import type { Terminal } from "../operations/sandbox-terminal.ts";
import { parseJson } from "./parse-json.ts";
import { validate } from "./validate.ts";
import { closeCodeOf, toldOf } from "./websocket-frames.ts";
import type { WebSocketWire } from "./websocket-wire.ts";

/** Bytes that are sent before the client has to have taken them: what it does not read stays in the sandbox. */
const maxUnsent = 262_144;

export interface TerminalOptions {
  readonly wire: WebSocketWire;
  readonly terminal: Terminal;
  /** Nested arrays and objects of a frame. */
  readonly jsonDepth: number;
  /** Is told of what is the server's fault. */
  readonly onUnexpected: (error: unknown) => void;
  /** Ends the socket. */
  readonly close: (code: number, reason: string) => void;
}

/** A terminal on a WebSocket: binary frames are bytes, text frames are JSON about it. */
export class TerminalConnection {
  readonly #options: TerminalOptions;
  readonly #gone = new AbortController();
  /** Lets go of who waits for the client. */
  #release: () => void = () => {};

  constructor(options: TerminalOptions) {
    this.#options = options;
  }

  /** Sends its output from now on. Never rejects. */
  async run(): Promise<void> {
    const { wire, terminal, close } = this.#options;
    let sent = 0;
    this.#tell({ type: "open", process: terminal.process });
    try {
      for await (const event of terminal.output(this.#gone.signal)) {
        if (this.#gone.signal.aborted) return;
        if (event.type === "end") {
          const { code, signal, reason } = event;
          this.#tell({ type: "exit", code, signal, reason });
          return close(1000, "exit");
        }
        wire.sendBytes(event.data);
        sent += event.data.byteLength;
        if (sent < maxUnsent) continue;
        await this.#taken();
        sent = 0;
      }
      this.#fail(new BerthError("process_not_found", "The process is there no more."));
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Never rejects. */
  async receive(message: Buffer, isBinary: boolean): Promise<void> {
    const { terminal, jsonDepth } = this.#options;
    try {
      if (isBinary) return await terminal.write(message);
      const { columns, rows } = validate(terminalClientFrame, parseJson(message, jsonDepth), "body");
      await terminal.resize({ columns, rows });
    } catch (error) {
      // What is typed after its end is too late.
      if (asBerthError(error).code !== "process_not_found") this.#fail(error);
    }
  }

  /** The client is gone, or the server stops. */
  stop(): void {
    if (this.#gone.signal.aborted) return;
    this.#gone.abort();
    this.#release();
    void this.#options.terminal.close();
  }

  /** Resolves when the client has taken all that it was sent, or is gone. */
  #taken(): Promise<void> {
    return new Promise((resolve) => {
      this.#release = resolve;
      if (this.#gone.signal.aborted) return resolve();
      this.#options.wire.afterTaken(resolve);
    });
  }

  #fail(error: unknown): void {
    if (this.#gone.signal.aborted) return;
    const told = toldOf(error);
    if (told.code === "internal") this.#options.onUnexpected(error);
    this.#tell({ type: "error", ...told });
    this.#options.close(closeCodeOf(error), told.code);
  }

  #tell(frame: TerminalServerFrame): void {
    this.#options.wire.sendText(JSON.stringify(frame));
  }
}

/** The query of a terminal's address, without its ticket. Throws `validation_failed`. */
export function terminalQueryOf(search: URLSearchParams): z.output<typeof terminalQuery> {
  const query: Record<string, string | string[]> = {};
  for (const name of new Set(search.keys())) {
    const values = search.getAll(name);
    if (name !== "ticket") query[name] = values.length === 1 ? (values[0] ?? "") : values;
  }
  return validate(terminalQuery, query, "query");
}
