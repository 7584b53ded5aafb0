import { randomUUID } from "node:crypto";
import { type ApiReply, type ApiRequest, codeOf, type Door, send } from "../../support/server/api.ts";
import type { Checklist } from "../checklist.ts";
import type { Random } from "../random.ts";
import { sleep } from "../sleep.ts";
import type { Ledger } from "./ledger.ts";

const callerRules = {
  internal: "no request ends in an internal error",
  answered: "a request to a living server is answered",
  repeat: "a request that is repeated with its key gets the reply of the first",
} as const;

/** Longer than any request may take: changes that go through a mailbox are waited for 5 s. */
const answerMs = 20_000;
const again: ReadonlySet<number> = new Set([429, 503]);
const againCodes: ReadonlySet<string> = new Set(["idempotency_in_progress"]);

export interface CallerOptions {
  readonly ledger: Ledger;
  readonly checklist: Checklist;
  readonly random: Random;
  readonly door: () => Promise<Door>;
  /** Changes whenever a server dies. */
  readonly generation: () => number;
}

export interface Called {
  readonly reply: ApiReply;
  readonly key: string;
  readonly sentTick: number;
  readonly repliedTick: number;
  /** How often it was sent. */
  readonly attempts: number;
}

/** Sends requests as a careful client does: with a key, again and again until a reply is there, whatever dies meanwhile. */
export class Caller {
  readonly #options: CallerOptions;

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  async call(request: Omit<ApiRequest, "key" | "signal">): Promise<Called> {
    const { ledger, random } = this.#options;
    const key = randomUUID();
    const sentTick = ledger.tick();
    ledger.requests += 1;
    const { reply, attempts } = await this.#untilAnswered({ ...request, key });
    const repliedTick = ledger.tick();
    if (attempts > 1) ledger.repeated += 1;
    if (reply.headers.get("idempotency-replayed") === "true") ledger.replayed += 1;
    this.#noteInternal(request, reply);
    if (request.method === "POST" && reply.status < 300 && random.chance(0.1))
      await this.#repeat({ ...request, key }, reply);
    return { reply, key, sentTick, repliedTick, attempts };
  }

  async #untilAnswered(request: ApiRequest): Promise<{ reply: ApiReply; attempts: number }> {
    const { checklist, generation, door } = this.#options;
    for (let attempts = 1; ; attempts++) {
      const server = await door();
      const before = generation();
      try {
        const reply = await send(server, { ...request, signal: AbortSignal.timeout(answerMs) });
        if (!again.has(reply.status) && !againCodes.has(codeOf(reply))) return { reply, attempts };
      } catch (thrown) {
        const late = thrown instanceof Error && thrown.name === "TimeoutError";
        const alive = late && before === generation();
        const name = `${request.method} ${request.path}`;
        if (alive) checklist.violated(callerRules.answered, `${name}: no reply in ${answerMs} ms`);
      }
      await sleep(30);
    }
  }

  #noteInternal(request: Omit<ApiRequest, "key">, reply: ApiReply): void {
    this.#options.checklist.check(
      callerRules.internal,
      reply.status < 500,
      () =>
        `${request.method} ${request.path} got ${reply.status}: ${Buffer.from(reply.bytes).toString("utf8").slice(0, 300)}`,
    );
  }

  /** The same request once more: nothing may be done twice, and the inputs have to be those of the first. */
  async #repeat(request: ApiRequest, first: ApiReply): Promise<void> {
    const { reply } = await this.#untilAnswered(request);
    const same = reply.status === first.status || (reply.status < 300 && first.status < 300);
    this.#options.checklist.check(
      callerRules.repeat,
      same && identity(reply.json) === identity(first.json),
      () =>
        `${request.method} ${request.path} (key ${request.key}) got ${first.status} ${identity(first.json)}, then ${reply.status} ${identity(reply.json)} ${codeOf(reply)}`,
    );
  }
}

/** What a reply made: ids that may not change when it is repeated. */
function identity(json: unknown): string {
  if (typeof json !== "object" || json === null) return "";
  const { id = null, inputs = null } = json as {
    id?: unknown;
    inputs?: readonly { id: string; runId: string }[];
  };
  return JSON.stringify({ id, inputs: inputs?.map((input) => [input.id, input.runId]) ?? null });
}
