import type { Page } from "@berth/contract";

/** Every item of a list, page after page. */
export async function* allPages<T>(list: (after: string | undefined) => Promise<Page<T>>): AsyncGenerator<T> {
  let after: string | undefined;
  for (;;) {
    const page = await list(after);
    yield* page.items;
    if (page.next === null) return;
    after = page.next;
  }
}

export interface PageQuery {
  /** At most 200; default 50. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string;
  readonly signal?: AbortSignal;
}

/** What every call takes. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** What a call that changes something takes. */
export interface ChangeOptions extends CallOptions {
  /** Default: a new one, the same on each retry of this call. Give your own to be safe across restarts of your program. */
  readonly idempotencyKey?: string;
}

/** Only what is set, so that optional fields stay absent. */
export function callOf(options: ChangeOptions): ChangeOptions {
  const { signal, idempotencyKey } = options;
  return { ...(signal !== undefined && { signal }), ...(idempotencyKey !== undefined && { idempotencyKey }) };
}
