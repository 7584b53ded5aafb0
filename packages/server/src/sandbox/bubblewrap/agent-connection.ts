import type { Readable, Writable } from "node:stream";
import type { Clock, TimerHandle } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import {
  creditFrame,
  dataHeader,
  eofFrame,
  FrameReader,
  frameKinds,
  maxFrameBytes,
  messageFrame,
} from "./agent/frames.ts";
import { AgentChannel, type ChannelListener, ProtocolError } from "./agent-channel.ts";
import { type AgentMessage, parseMessage } from "./agent-messages.ts";
import { createPace } from "./agent-pace.ts";

export interface AgentStreams {
  /** The agent's standard input. */
  readonly input: Writable;
  /** Its standard output; nobody else reads it. */
  readonly output: Readable;
}

export type HostMessage =
  | {
      readonly type: "start";
      readonly command: string;
      readonly cwd: string;
      readonly environment: Readonly<Record<string, string>>;
      readonly input: boolean;
      readonly terminal?: { readonly columns: number; readonly rows: number };
    }
  | { readonly type: "connect"; readonly port: number };

/** Something open in the sandbox. */
export interface OpenChannel {
  readonly closed: boolean;
  send(data: Uint8Array): Promise<void>;
  sendEof(): void;
  /** The charge of what came and was used. */
  used(chargedBytes: number): void;
  /** Asks the agent to end it; its end comes as always. */
  close(): void;
  resize(size: { columns: number; rows: number }): void;
}

/** For an answer to a question, whatever the sandbox is busy with. */
const answerMs = 30_000;

type Answer = Extract<AgentMessage, { type: "pong" | "ports" }>;

interface Question {
  readonly type: Answer["type"];
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: BerthError) => void;
}

/** The wire to one agent. It is ended at the first thing that an honest agent would not send. */
export class AgentConnection {
  readonly #streams: AgentStreams;
  readonly #clock: Clock;
  readonly #reader = new FrameReader();
  readonly #channels = new Map<number, AgentChannel>();
  readonly #questions = new Map<number, Question>();
  readonly #lost = Promise.withResolvers<string>();
  readonly #ready = Promise.withResolvers<void>();
  readonly #pace: ReturnType<typeof createPace>;
  readonly #deadline: TimerHandle;
  #isReady = false;
  #ended: BerthError | null = null;
  #lastId = 0;
  #corked = false;

  /** Waits at most `readyMs` for the agent's first word. */
  constructor(streams: AgentStreams, options: { clock: Clock; readyMs: number }) {
    this.#streams = streams;
    this.#clock = options.clock;
    this.#pace = createPace(options.clock);
    this.#ready.promise.catch(() => undefined);
    this.#deadline = options.clock.after(options.readyMs, () => this.fail("it did not start in time"));
    const { input, output } = streams;
    output.on("data", this.#read);
    output.on("error", () => this.fail("its connection broke"));
    input.on("error", () => this.fail("its connection broke"));
    output.once("close", () => this.fail("it has ended"));
    output.once("end", () => this.fail("it has ended"));
  }

  /** Resolves when it takes commands; rejects with `sandbox_lost`. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Resolves with the reason when the sandbox is of no use any more; not by `close`. */
  get lost(): Promise<string> {
    return this.#lost.promise;
  }

  get ended(): BerthError | null {
    return this.#ended;
  }

  open(message: HostMessage, listener: ChannelListener): OpenChannel {
    const id = this.#nextId();
    const channel = new AgentChannel(listener, {
      data: (chunk) => this.#write(dataHeader(id, chunk.length), chunk),
      eof: () => this.#write(eofFrame(id)),
      credit: (bytes) => this.#write(creditFrame(id, bytes)),
    });
    const frame = messageFrame({ ...message, channel: id });
    if (frame.length > maxFrameBytes) {
      throw new BerthError("command_invalid", "The command and its environment are too long together.");
    }
    this.#channels.set(id, channel);
    this.#write(frame);
    return {
      get closed() {
        return channel.closed;
      },
      send: (data) => channel.send(data),
      sendEof: () => channel.sendEof(),
      used: (bytes) => this.#pace.spend(bytes, () => channel.used(bytes)),
      close: () => channel.closed || this.#write(messageFrame({ type: "close", channel: id })),
      resize: (size) => channel.closed || this.#write(messageFrame({ type: "resize", channel: id, ...size })),
    };
  }

  ping(): Promise<void> {
    return this.#ask("ping", "pong").then(() => undefined);
  }

  async listening(): Promise<readonly number[]> {
    const answer = await this.#ask("listening", "ports");
    return answer.type === "ports" ? answer.ports : [];
  }

  /** Ends it as lost: whoever sits at the other end is not to be trusted, or is gone. */
  fail(problem: string): void {
    const message = `The sandbox was lost: ${problem}. The next command gets a new one with the same workspace.`;
    if (this.#end(new BerthError("sandbox_lost", message, { retryable: true }))) this.#lost.resolve(problem);
  }

  /** Ends it because the sandbox is ended. Idempotent. */
  close(): void {
    this.#end(new BerthError("sandbox_gone", "This sandbox was ended; connect again.", { retryable: true }));
  }

  #end(error: BerthError): boolean {
    if (this.#ended !== null) return false;
    this.#ended = error;
    this.#deadline.cancel();
    this.#pace.stop();
    this.#streams.output.off("data", this.#read);
    this.#streams.output.destroy();
    this.#streams.input.destroy();
    this.#ready.reject(error);
    for (const { reject } of this.#questions.values()) reject(error);
    this.#questions.clear();
    for (const channel of this.#channels.values()) channel.lost();
    this.#channels.clear();
    return true;
  }

  async #ask(type: "ping" | "listening", answer: Answer["type"]): Promise<Answer> {
    const id = this.#nextId();
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#questions.set(id, { type: answer, resolve, reject });
    this.#write(messageFrame({ type, channel: id }));
    const deadline = this.#clock.after(answerMs, () => this.fail("it did not answer"));
    return await promise.finally(() => deadline.cancel());
  }

  /** Never used twice, so that an answer that comes late can be nobody else's. Throws when the connection has ended. */
  #nextId(): number {
    if (this.#lastId >= 0xffff_ffff) this.fail("it has run out of numbers");
    if (this.#ended !== null) throw this.#ended;
    return ++this.#lastId;
  }

  /** All of one turn of the event loop goes out in one write. */
  #write(...buffers: Uint8Array[]): void {
    const { input } = this.#streams;
    if (this.#ended !== null) return;
    if (!this.#corked) {
      this.#corked = true;
      input.cork();
      process.nextTick(() => {
        this.#corked = false;
        input.uncork();
      });
    }
    for (const buffer of buffers) input.write(buffer);
  }

  readonly #read = (chunk: Buffer): void => {
    try {
      for (const { kind, payload } of this.#reader.push(chunk)) {
        if (this.#ended === null) this.#take(kind, payload);
      }
    } catch (thrown) {
      if (!(thrown instanceof ProtocolError || thrown instanceof RangeError)) throw thrown;
      this.fail(`its agent sent ${thrown.message}`);
    }
  };

  #take(kind: number, payload: Buffer): void {
    if (kind === frameKinds.message) return this.#takeMessage(parseMessage(payload));
    const channel = this.#channels.get(payload.length < 4 ? 0 : payload.readUInt32BE(0));
    if (channel === undefined) throw new ProtocolError("something that nobody asked for");
    if (kind === frameKinds.data) channel.data(payload.subarray(4));
    else if (kind === frameKinds.eof && payload.length === 4) channel.eof();
    else if (kind === frameKinds.credit && payload.length === 8) channel.credit(payload.readUInt32BE(4));
    else throw new ProtocolError("a frame of no known kind");
  }

  #takeMessage(message: AgentMessage | null): void {
    if (message === null) throw new ProtocolError("a message that is none");
    if (message.type === "ready") {
      if (this.#isReady) throw new ProtocolError("a second greeting");
      this.#isReady = true;
      this.#deadline.cancel();
      return this.#ready.resolve();
    }
    if (message.type === "pong" || message.type === "ports") return this.#answer(message);
    const channel = this.#channels.get(message.channel);
    if (channel === undefined) throw new ProtocolError("something that nobody asked for");
    if (channel.message(message)) this.#channels.delete(message.channel);
  }

  #answer(message: Answer): void {
    const question = this.#questions.get(message.channel);
    if (question?.type !== message.type) throw new ProtocolError("an answer that nobody asked for");
    this.#questions.delete(message.channel);
    question.resolve(message);
  }
}
