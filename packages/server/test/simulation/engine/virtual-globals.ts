// Imported before anything of the server: from then on the time and the randomness of this process come from whoever is installed.
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";

/** Where time and randomness come from while a simulation runs. */
export interface VirtualSource {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds that never go back. */
  elapsed(): number;
  /** From 0 up to, not with, 1. */
  random(): number;
  /** Calls once after `ms`. Returns what cancels it. */
  after(ms: number, call: () => void): () => void;
  /** Is told of each signal that is made of others. */
  combined(signal: AbortSignal): void;
}

/** What the process had before. */
export const real = {
  now: Date.now.bind(Date),
  elapsed: performance.now.bind(performance),
  setImmediate: globalThis.setImmediate,
};

let source: VirtualSource | null = null;

/** Null gives the process its own time and randomness back. */
export function install(virtual: VirtualSource | null): void {
  source = virtual;
}

const RealDate = Date;

class VirtualDate extends RealDate {
  constructor(...given: [] | ConstructorParameters<typeof RealDate>) {
    if (given.length === 0) super(VirtualDate.now());
    else super(...given);
  }

  static override now(): number {
    return source === null ? real.now() : source.now();
  }
}

function fillRandomly<T extends ArrayBufferView>(view: T): T {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  for (let at = 0; at < bytes.length; at++) bytes[at] = Math.floor(Math.random() * 256);
  return view;
}

type Callback = (...given: unknown[]) => void;

/** What setTimeout and its like give back. */
class VirtualTimer {
  readonly cancel: () => void;

  constructor(cancel: () => void) {
    this.cancel = cancel;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

function replaceTimers(): void {
  const { setTimeout, clearTimeout, setImmediate, clearImmediate } = globalThis;
  const start = (ms: number, call: Callback, given: unknown[], virtual: VirtualSource) =>
    new VirtualTimer(virtual.after(ms, () => call(...given)));
  const cancelOr = (otherwise: (timer: never) => void) => (timer: unknown) =>
    timer instanceof VirtualTimer ? timer.cancel() : otherwise(timer as never);
  Object.assign(globalThis, {
    setTimeout: (call: Callback, ms = 0, ...given: unknown[]) =>
      source === null ? setTimeout(call, ms, ...given) : start(Math.max(1, ms), call, given, source),
    setImmediate: (call: Callback, ...given: unknown[]) =>
      source === null ? setImmediate(call, ...given) : start(0, call, given, source),
    clearTimeout: cancelOr(clearTimeout),
    clearImmediate: cancelOr(clearImmediate),
  });
}

type Fill = (this: unknown, view: ArrayBufferView) => ArrayBufferView;

const realAny = AbortSignal.any.bind(AbortSignal);
const realRandom = Math.random;
const realBytes = crypto.randomBytes.bind(crypto);
const realUuid = crypto.randomUUID.bind(crypto);
const cryptoPrototype = Object.getPrototypeOf(globalThis.crypto) as { getRandomValues: Fill };
const realFill = cryptoPrototype.getRandomValues;

globalThis.Date = VirtualDate as DateConstructor;
performance.now = () => (source === null ? real.elapsed() : source.elapsed());
Math.random = () => (source === null ? realRandom() : source.random());
replaceTimers();
AbortSignal.any = (signals) => {
  const made = realAny(signals);
  source?.combined(made);
  return made;
};
// What node:crypto exports cannot be replaced, but calls this one.
cryptoPrototype.getRandomValues = function fill(this: unknown, view: ArrayBufferView) {
  return source === null ? realFill.call(this, view) : fillRandomly(view);
};
Object.assign(crypto, {
  randomBytes: (size: number) => (source === null ? realBytes(size) : fillRandomly(Buffer.alloc(size))),
  randomUUID: () => {
    if (source === null) return realUuid();
    const hex = fillRandomly(Buffer.alloc(16)).toString("hex");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
  },
});
syncBuiltinESMExports();
