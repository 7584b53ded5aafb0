import type { DecideBody, SessionEvent } from "@berth/contract";
import { decideApproval } from "../../../src/operations/decide-approval.ts";
import { sendInputs } from "../../../src/operations/send-inputs.ts";
import type { Random } from "../../chaos/random.ts";
import type { Book } from "../checks/book.ts";
import type { World } from "../world.ts";
import type { Requests } from "./requests.ts";

/** Those who are asked: they decide approvals and answer for clients' tools, late, twice, or not at all until everything comes to rest. */
export class People {
  readonly #world: World;
  readonly #requests: Requests;
  readonly #random: Random;

  constructor(world: World, requests: Requests) {
    this.#world = world;
    this.#requests = requests;
    this.#random = world.random.branch("people");
    world.listeners.push((book, event) => this.#hear(book, event));
  }

  /** Answers all that is open. */
  answerAll(): void {
    for (const book of this.#world.ledger.books.values()) {
      if (book.deleted) continue;
      for (const approvalId of Object.keys(book.state.approvals)) this.#decide(book, approvalId, 0);
      for (const { calls } of Object.values(book.state.namespaces)) {
        for (const call of calls) {
          if (call.kind === "client" && call.state === "executing") this.#answer(book, call.toolUseId, 0);
        }
      }
    }
  }

  #hear(book: Book, event: SessionEvent): void {
    if (event.type === "approval.requested") {
      const { approvalId } = event.data;
      const { approvalMs } = this.#world.plan.build;
      const times = this.#random.weighted([
        [2, 0],
        [6, 1],
        [3, 2],
      ]);
      for (let at = 0; at < times; at++) this.#decide(book, approvalId, this.#delay(approvalMs));
    }
    if (event.type === "input.requested") {
      const times = this.#random.weighted([
        [1, 0],
        [5, 1],
        [2, 2],
      ]);
      for (let at = 0; at < times; at++) this.#answer(book, event.data.toolUseId, this.#delay(5_000));
    }
  }

  #delay(around: number): number {
    return this.#random.chance(0.3) ? around + this.#random.int(-600, 600) : this.#random.int(5, 2_500);
  }

  #decide(book: Book, approvalId: string, ms: number): void {
    const { scheduler, faults } = this.#world;
    const body = this.#random.weighted<DecideBody>([
      [6, { decision: "allow" }],
      [2, { decision: "deny" }],
      [2, { decision: "edit", input: { edited: approvalId.slice(-6) } }],
    ]);
    scheduler.after(ms, null, `somebody decides ${approvalId}: ${body.decision}`, () => {
      if (book.deleted) return;
      faults.count(`action ${body.decision}`);
      void this.#requests.send({
        label: `decide ${approvalId}`,
        key: this.#random.chance(0.5) ? `decide-${approvalId}-${ms}` : null,
        repeats: true,
        run: (context, principal, origin) => decideApproval(context, principal, { approvalId, body, origin }),
      });
    });
  }

  #answer(book: Book, toolUseId: string, ms: number): void {
    const { scheduler, faults } = this.#world;
    scheduler.after(ms, null, `somebody answers ${toolUseId}`, () => {
      if (book.deleted) return;
      faults.count("action tool result");
      void this.#requests.send({
        label: `answer ${toolUseId}`,
        key: null,
        repeats: true,
        run: (context, principal, origin) =>
          sendInputs(context, principal, {
            sessionId: book.id,
            events: [{ type: "user.tool_result", toolUseId, content: "picked", ok: true }],
            origin,
          }),
      });
    });
  }
}
