import { agentDefinition, type SendableInput, type SessionEvent } from "@berth/contract";
import { createSession } from "../../../src/operations/create-session.ts";
import { deleteSession } from "../../../src/operations/delete-session.ts";
import { forkSession } from "../../../src/operations/fork-session.ts";
import { retryRun } from "../../../src/operations/retry-run.ts";
import { rewindSession } from "../../../src/operations/rewind-session.ts";
import { sendInputs } from "../../../src/operations/send-inputs.ts";
import { updateSession } from "../../../src/operations/update-session.ts";
import { writeFile } from "../../../src/operations/change-files.ts";
import { isUndone, rewindsOf } from "../../../src/session/fold.ts";
import { must } from "../checks/violation.ts";
import { type Action, forkNumber } from "../plan/action.ts";
import { helperAgent, mainAgent } from "../template.ts";
import type { World } from "../world.ts";
import type { Payers } from "./payers.ts";
import type { Requests } from "./requests.ts";

type Of<K extends Action["kind"]> = Extract<Action, { kind: K }>;

/** Those who use the server: each action of the plan is done at its time, by somebody who knows what its replies said. */
export class Clients {
  /** Ids of sessions by their number in the plan, as far as replies told. */
  readonly sessions = new Map<number, string>();
  readonly #world: World;
  readonly #requests: Requests;
  readonly #payers: Payers;
  /** Newest run by session. */
  #runs = new Map<string, string>();

  constructor({ world, requests, payers }: { world: World; requests: Requests; payers: Payers }) {
    this.#world = world;
    this.#requests = requests;
    this.#payers = payers;
  }

  /** Lets each action be done at its time. */
  plan(actions: readonly Action[]): void {
    const { scheduler } = this.#world;
    for (const action of actions) {
      const label = `S${action.session} wants to ${action.kind}`;
      const act = () => void this.#act(action).catch((thrown: unknown) => this.#world.failWith(thrown));
      const { amid } = action;
      const begin = amid === undefined ? act : () => this.#amid(action.session, amid, label, act);
      scheduler.at(action.at, null, label, begin);
    }
  }

  /** Waits for the next summary of a session. */
  #amid(session: number, ms: number, label: string, act: () => void): void {
    const { scheduler, outside, faults } = this.#world;
    const sessionId = this.sessions.get(session);
    if (sessionId === undefined) return;
    outside.whenSummarized(sessionId, () => {
      if (this.#world.resting) return;
      faults.count("clients act amid a summary");
      scheduler.after(ms, null, label, act);
    });
  }

  /** Lets go of what nobody can ask for any more. */
  forget(): void {
    for (const [session, id] of this.sessions) {
      if (this.#world.ledger.books.has(id)) continue;
      this.sessions.delete(session);
      this.#runs.delete(id);
    }
  }

  async #act(action: Action): Promise<void> {
    if (action.kind === "create") return this.#create(action);
    if (action.kind === "edition") return this.#edition(action);
    if (action.kind === "budget") return this.#budget(action);
    const sessionId = this.sessions.get(action.session);
    if (sessionId === undefined) return;
    this.#world.faults.count(`action ${action.kind}${action.kind === "say" ? ` ${action.onBusy}` : ""}`);
    switch (action.kind) {
      case "say":
        return this.#say(sessionId, action);
      case "fork":
        return this.#fork(sessionId, action);
      case "retry":
        return this.#retry(sessionId, action);
      default:
        return this.#change(sessionId, action);
    }
  }

  async #create(action: Of<"create">): Promise<void> {
    this.#world.faults.count("action create");
    const { session, keyed, retries, script } = action;
    const body = {
      agent: "main",
      ...(keyed && { key: `key-${session}` }),
      ...(script !== null && { input: script }),
    };
    const reply = await this.#requests.send({
      label: `create S${session}`,
      key: retries ? `create-${session}` : null,
      repeats: retries || keyed,
      run: (context, principal, origin) => createSession(context, principal, { body, origin }),
    });
    if (reply.kind !== "ok") return;
    const { id, input } = reply.value.session;
    this.#world.ledger.book(id);
    this.sessions.set(session, id);
    if (input !== undefined) this.#acknowledged(id, [input]);
  }

  async #say(sessionId: string, { session, no, onBusy, identified, script }: Of<"say">): Promise<void> {
    const event: SendableInput = {
      type: "user.message",
      content: script,
      onBusy,
      ...(identified === "clientId" && { clientId: `S${session}.${no}` }),
    };
    await this.#send(sessionId, `say S${session}.${no}`, event, identified);
  }

  async #send(
    sessionId: string,
    label: string,
    event: SendableInput,
    identified: "clientId" | "key" | "none",
  ): Promise<void> {
    const reply = await this.#requests.send({
      label,
      key: identified === "key" ? label : null,
      repeats: identified !== "none",
      run: (context, principal, origin) =>
        sendInputs(context, principal, { sessionId, events: [event], origin }),
    });
    if (reply.kind === "ok") this.#acknowledged(sessionId, reply.value.inputs);
  }

  /** I3: what was acknowledged is there. */
  #acknowledged(sessionId: string, inputs: readonly { id: string; runId: string | null }[]): void {
    const book = this.#world.ledger.book(sessionId);
    for (const { id, runId } of inputs) {
      must(book.inputs.has(id), "I3", () => `input ${id} was acknowledged to a client and is nowhere`);
      if (runId !== null) this.#runs.set(sessionId, runId);
    }
  }

  async #fork(sessionId: string, { session, no }: Action): Promise<void> {
    const book = this.#world.ledger.book(sessionId);
    const seq = (no * 7919) % book.raw.length;
    const reply = await this.#requests.send({
      label: `fork S${session}`,
      key: `fork-${session}-${no}`,
      repeats: true,
      run: (context, principal, origin) =>
        forkSession(context, principal, { sessionId, origin, ...(no % 2 === 0 && seq > 0 && { seq }) }),
    });
    if (reply.kind !== "ok") return;
    const { id } = reply.value.session;
    this.sessions.set(forkNumber({ session, no }), id);
    await this.#send(
      id,
      `say fork of S${session}`,
      { type: "user.message", content: `#F${session}.${no} do put`, onBusy: "enqueue" },
      "clientId",
    );
  }

  async #retry(sessionId: string, { session }: Action): Promise<void> {
    const runId = this.#runs.get(sessionId);
    if (runId === undefined) return;
    await this.#requests.send({
      label: `retry S${session}`,
      key: `retry-${runId}`,
      repeats: true,
      run: (context, principal, origin) => retryRun(context, principal, { runId, body: {}, origin }),
    });
  }

  async #change(
    sessionId: string,
    action: Exclude<Action, Of<"create" | "edition" | "budget" | "say">>,
  ): Promise<void> {
    const { session, no, kind } = action;
    const label = `${kind} S${session}.${no}`;
    if (kind === "remark")
      return this.#send(
        sessionId,
        label,
        { type: "system.message", content: "a remark", clientId: label },
        "clientId",
      );
    if (kind === "interrupt") {
      const runId = action.queued ? this.#runs.get(sessionId) : undefined;
      const event: SendableInput = {
        type: "user.interrupt",
        clientId: label,
        ...(runId !== undefined && { runId }),
      };
      return this.#send(sessionId, label, event, "clientId");
    }
    const book = this.#world.ledger.book(sessionId);
    await this.#requests.send<unknown>({
      label,
      key: label,
      repeats: kind !== "delete",
      run: (context, principal, origin) => {
        if (kind === "delete") return deleteSession(context, principal, { sessionId, origin });
        if (kind === "upload") {
          const data = Buffer.from(label);
          return writeFile(context, principal, {
            sessionId,
            path: `${session}.txt`,
            data,
            mediaType: null,
            origin,
          });
        }
        if (kind === "rewind") {
          const toSeq = rewindTarget(book.raw, no);
          return rewindSession(context, principal, { sessionId, toSeq, origin });
        }
        const body = kind === "rename" ? { title: label } : { archived: kind === "archive" };
        return updateSession(context, principal, { sessionId, body, origin });
      },
    });
  }

  async #budget(action: Of<"budget">): Promise<void> {
    this.#world.faults.count("action budget");
    await this.#payers.create(action);
  }

  async #edition({ session, no }: Action): Promise<void> {
    const { template, plan, faults } = this.#world;
    const agent = (session + no) % 3 === 0 ? "helper" : "main";
    faults.count("action edition");
    faults.count(`edition of ${agent}`);
    const { approvalMs } = plan.build;
    const edition = { edition: `S${session}.${no}`, approvalMs, strict: (session + no) % 2 === 0 };
    const definition = agentDefinition.parse(agent === "main" ? mainAgent(edition) : helperAgent(edition));
    await this.#requests.send({
      label: `edition S${session}.${no}`,
      key: null,
      repeats: true,
      run: ({ store }) => store.org(template.orgId).putAgent({ id: template.agentIds[agent], definition }),
    });
  }
}

/** The end of any run, or the beginning; mostly of one before the newest summary, if there is such. Every second time of one that was undone, if there is such: it was seen before. */
function rewindTarget(raw: readonly SessionEvent[], no: number): number {
  const ends = raw.filter(({ type }) => type === "run.finished" || type === "session.created");
  const rewinds = rewindsOf(raw);
  const undone = ends.filter(({ seq }) => isUndone(seq, rewinds));
  const summary = raw.findLast(({ type, seq }) => type === "context.compacted" && !isUndone(seq, rewinds));
  const whole = ends.filter(({ seq }) => seq < (summary?.seq ?? 0));
  if (whole.length > 0 && no % 3 > 0) return whole[no % whole.length]?.seq ?? 1;
  const among = undone.length > 0 && no % 2 === 0 ? undone : ends;
  return among[no % among.length]?.seq ?? 1;
}
