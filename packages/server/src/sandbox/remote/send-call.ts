import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import type { Clock } from "../../lib/clock.ts";
import { encodeBody } from "../protocol/body.ts";
import type { Call } from "../protocol/call.ts";
import type { HostAddress } from "../../lib/host-address.ts";
import { addressOf } from "./base-url.ts";
import { HostFailure } from "./failures.ts";
import { refusalOf } from "./read-answer.ts";
import type { Tokens, TokenWish } from "./tokens.ts";
import { post, readAll } from "./transport.ts";

export interface SendOptions {
  readonly address: HostAddress;
  readonly dispatcher: Dispatcher;
  readonly tokens: Tokens;
  readonly clock: Clock;
  /** Aborts when the provider is closed. */
  readonly closed: AbortSignal;
}

/** What a call is made with. */
export interface Made<A> {
  readonly args: A;
  /** Of the sandbox or workspace; empty for calls on the host. */
  readonly id: string;
  readonly deployment: string;
  readonly tail?: Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type AnyCall = Pick<Call<unknown, unknown>, "on" | "name" | "verb" | "repeatable" | "timeoutMs">;

/** The token that a call needs. */
export function wishOf(
  { name: host }: HostAddress,
  { verb }: Pick<AnyCall, "verb">,
  { id, deployment }: Pick<Made<unknown>, "id" | "deployment">,
): TokenWish {
  return { host, deployment, on: id === "" ? "*" : id, verb };
}

/**
 * Makes a call once; a token that is not taken is replaced once. Resolves with the body of a good answer. Rejects with what the host
 * refused it for, or with HostFailure.
 */
export async function sendCall(
  { address, dispatcher, tokens, clock, closed }: SendOptions,
  {
    call,
    made,
    timeoutMs,
  }: { readonly call: AnyCall; readonly made: Made<unknown>; readonly timeoutMs: number },
): Promise<Readable> {
  const wish = wishOf(address, call, made);
  const url = addressOf(address, { on: call.on, name: call.name, id: made.id });
  const body = encodeBody(made.args, made.tail);
  const signal = made.signal === undefined ? closed : AbortSignal.any([closed, made.signal]);
  for (let renewed = false; ; renewed = true) {
    const token = await tokens.get(wish, { fresh: !call.repeatable });
    const answer = await post({ dispatcher, clock, url, token, body, timeoutMs, signal });
    if (answer.status === 200) return answer.body;
    const refused = await readAll(answer.body, { clock, most: 65_536, withinMs: timeoutMs });
    if (answer.status !== 401) throw refusalOf(refused);
    tokens.forget(wish);
    if (renewed)
      throw new HostFailure("wrong", "does not take this server's tokens: check its keys and its name");
  }
}
