import type { Principal } from "../../../src/auth/principal.ts";
import { permissions } from "../../../src/auth/permissions.ts";
import { BerthError } from "../../../src/lib/errors.ts";
import type { OperationsContext, Origin } from "../../../src/operations/context.ts";
import type { Random } from "../../chaos/random.ts";
import type { World } from "../world.ts";

/** What came back of a request; `lost` when nothing did. */
export type Reply<T> =
  | { readonly kind: "ok"; readonly value: T }
  | { readonly kind: "refused"; readonly error: BerthError }
  | { readonly kind: "lost" };

type Operation<T> = (context: OperationsContext, principal: Principal, origin: Origin) => Promise<T>;

export interface Request<T> {
  readonly label: string;
  /** Sent with every attempt, so that it is done once. Null: it has none, and is not repeated unless `repeats`. */
  readonly key: string | null;
  /** Is repeated when no reply came. */
  readonly repeats: boolean;
  readonly run: Operation<T>;
}

const waitMs = 8_000;
const mostAttempts = 6;

/** Clients outside of the server: they call some process of it, wait for so long, and ask again when they may. */
export class Requests {
  readonly principal: Principal;
  readonly #world: World;
  readonly #random: Random;
  /** Requests that go on. */
  open = 0;

  constructor(world: World) {
    this.#world = world;
    this.#random = world.random.branch("requests");
    this.principal = {
      type: "user",
      id: "usr_sim",
      name: "Sim",
      orgId: world.template.orgId,
      permissions: new Set(permissions),
      credential: { kind: "admin_key", id: "sim", expiresAt: null },
    };
  }

  /** Until a reply that is final, or the attempts are used up. */
  async send<T>(request: Request<T>): Promise<Reply<T>> {
    this.open += 1;
    try {
      for (let attempt = 1; ; attempt++) {
        const reply = await this.#once(request);
        const again =
          reply.kind === "lost" ||
          (reply.kind === "refused" && reply.error.retryable && reply.error.code !== "session_busy");
        if (!again || !request.repeats || attempt === mostAttempts) return reply;
        this.#world.faults.count("client repeats");
        await this.#pause(this.#random.int(100, 1_500));
      }
    } finally {
      this.open -= 1;
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#world.scheduler.after(ms, null, "client waits", resolve));
  }

  #once<T>({ label, key, run }: Request<T>): Promise<Reply<T>> {
    const { scheduler, apis, network } = this.#world;
    const api = this.#random.pick(apis);
    const { life } = api;
    const idempotency =
      key === null ? null : { scope: `${this.principal.id} ${label.split(" ")[0]}`, key, bodyHash: "same" };
    const origin: Origin = { idempotency, traceparent: null, requestId: null, address: null };
    return new Promise((resolve) => {
      const give = scheduler.after(waitMs, null, `${label} had no reply`, () => resolve({ kind: "lost" }));
      const answer = (reply: Reply<T>) => {
        if (life.dead) return;
        // A reply that is lost on its way is seen by nobody.
        network.carry(null, "reply", () => {
          give();
          resolve(reply);
        });
      };
      scheduler.after(0.1 + this.#random.next(), life, label, () => {
        if (api.operations === null) return;
        run(api.operations, this.principal, origin).then(
          (value) => answer({ kind: "ok", value }),
          (error: unknown) => {
            if (error instanceof BerthError) return answer({ kind: "refused", error });
            this.#world.fail(
              "fault",
              `${label} failed: ${error instanceof Error ? error.stack : String(error)}`,
            );
          },
        );
      });
    });
  }
}
