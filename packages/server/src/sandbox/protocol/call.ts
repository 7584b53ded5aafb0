import type { z } from "zod";
import type { CallPlace } from "./wire.ts";

/** What a token allows: each call needs one of these. */
export const verbs = ["look", "manage", "read", "write", "exec", "ports", "egress", "admin"] as const;
export type Verb = (typeof verbs)[number];

interface Spec<A, R> {
  readonly verb: Verb;
  readonly args: z.ZodType<A>;
  /** Null: the answer is not JSON but bytes, a stream of frames, or the connection itself. */
  readonly answer: z.ZodType<R> | null;
  /** The same call twice does what one does: it may be tried again, and its token may serve again. */
  readonly repeatable: boolean;
  /** How long it may take, milliseconds; of a stream, until it begins. */
  readonly timeoutMs: number;
  /** Raw bytes that may come after the arguments. */
  readonly tail: number;
  /** Bytes of an answer with JSON at most. */
  readonly most: number;
}

const usual = { repeatable: true, timeoutMs: 10_000, tail: 0, most: 1_048_576 } as const;

/** What is called, and what it takes and answers. */
export interface Call<A, R> extends Spec<A, R> {
  readonly on: CallPlace;
  readonly name: string;
}

/** A call that is answered with JSON. */
export function call<A, R>(
  spec: Pick<Spec<A, R>, "verb" | "args"> &
    Partial<Pick<Spec<A, R>, "repeatable" | "timeoutMs" | "tail" | "most">> & {
      readonly answer: z.ZodType<R>;
    },
): Spec<A, R> {
  return { ...usual, ...spec };
}

/** A call that is answered with bytes, with frames, or with the connection itself. */
export function rawCall<A>(
  spec: Pick<Spec<A, null>, "verb" | "args"> &
    Partial<Pick<Spec<A, null>, "repeatable" | "timeoutMs" | "tail">>,
): Spec<A, null> {
  return { ...usual, ...spec, answer: null };
}

/** Gives calls their names and says what they are made on. */
export function callsOn<T extends Readonly<Record<string, object>>>(
  on: CallPlace,
  specs: T,
): { readonly [K in keyof T]: T[K] & { readonly on: CallPlace; readonly name: string } } {
  const named = Object.entries(specs).map(([name, spec]) => [name, { ...spec, on, name }]);
  return Object.fromEntries(named) as ReturnType<typeof callsOn<T>>;
}
