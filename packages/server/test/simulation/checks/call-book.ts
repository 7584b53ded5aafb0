import type { SessionEvent } from "@berth/contract";
import { deserialize, serialize } from "node:v8";
import type { ToolStart } from "../ports/tools.ts";
import { must } from "./violation.ts";

interface Call {
  readonly namespace: string;
  readonly effect: string;
  /** Hash of the arguments that may be run; null while nobody allowed it. */
  allowed: string | null;
  readonly asked: string;
  marked: boolean;
  finished: boolean;
  starts: number;
}

/** The tool calls of one session: what the log says of them, and what really ran. */
export class CallBook {
  #calls = new Map<string, Call>();
  /** Call by approval. */
  #approvals = new Map<string, string>();
  /** Approvals that were decided or expired. */
  #over = new Set<string>();
  /** Namespace by call that has no result. */
  readonly #open = new Map<string, string>();
  readonly #steps = new Set<string>();

  /** Puts what it knows outside of the heap, until the returned function is called. */
  putAway(): () => void {
    const kept = serialize([this.#calls, this.#approvals, this.#over]);
    [this.#calls, this.#approvals, this.#over] = [new Map(), new Map(), new Set()];
    return () => {
      [this.#calls, this.#approvals, this.#over] = deserialize(kept) as [
        Map<string, Call>,
        Map<string, string>,
        Set<string>,
      ];
    };
  }

  get isQuiet(): boolean {
    return this.#open.size === 0 && this.#steps.size === 0;
  }

  note(event: SessionEvent): void {
    switch (event.type) {
      case "step.started":
        return this.#beginStep(event);
      case "step.finished":
        must(
          this.#steps.delete(event.stepId ?? ""),
          "I5",
          () => `step ${event.stepId} finished twice at ${event.seq}`,
        );
        return;
      case "run.finished":
        must(
          this.isQuiet,
          "I5",
          () => `the run ended at ${event.seq} with open calls ${[...this.#open.keys()].join()}`,
        );
        return;
      case "agent.tool_use":
        return this.#use(event);
      case "agent.tool_started":
        return this.#mark(event);
      case "agent.tool_result":
        return this.#finish(event);
      case "approval.requested":
        this.#approvals.set(event.data.approvalId, event.data.toolUseId);
        return;
      case "approval.expired":
        return this.#close(event.data.approvalId, event.seq);
      case "approval.decided":
        return this.#decide(event);
      default:
    }
  }

  /** A tool began to run, with these arguments. */
  started({ toolUseId, tool, effect, inputHash }: ToolStart): void {
    const call = this.#calls.get(toolUseId);
    must(call !== undefined, "I6", () => `${tool} ran for ${toolUseId}, of which the log does not know`);
    call.starts += 1;
    must(
      call.allowed === inputHash,
      "I7",
      () => `${tool} ran for ${toolUseId} with arguments that nobody approved`,
    );
    if (effect !== "once") return;
    must(call.marked, "I6", () => `${tool} ran for ${toolUseId} without a committed start`);
    must(call.starts === 1, "I6", () => `${tool} ran twice for ${toolUseId}`);
    must(!call.finished, "I6", () => `${tool} ran for ${toolUseId} after its result was written`);
  }

  #beginStep(event: SessionEvent<"step.started">): void {
    const open = [...this.#open].filter(([, namespace]) => namespace === event.namespace);
    must(
      open.length === 0,
      "I5",
      () => `a step began at ${event.seq} before ${open.map(([id]) => id).join()} had a result`,
    );
    this.#steps.add(event.stepId ?? "");
  }

  #use({ seq, namespace, data }: SessionEvent<"agent.tool_use">): void {
    const { toolUseId, effect, permission, inputHash } = data;
    must(!this.#calls.has(toolUseId), "I5", () => `call ${toolUseId} was written twice, at ${seq}`);
    const allowed = permission === "allow" ? inputHash : null;
    this.#calls.set(toolUseId, {
      namespace,
      effect,
      allowed,
      asked: inputHash,
      marked: false,
      finished: false,
      starts: 0,
    });
    this.#open.set(toolUseId, namespace);
  }

  #mark({ seq, data }: SessionEvent<"agent.tool_started">): void {
    const call = this.#calls.get(data.toolUseId);
    must(
      call !== undefined && !call.marked,
      "I6",
      () => `call ${data.toolUseId} has a second start at ${seq}`,
    );
    must(
      call.allowed === data.inputHash,
      "I7",
      () => `the start at ${seq} has arguments that nobody approved`,
    );
    call.marked = true;
  }

  #finish({ seq, namespace, data }: SessionEvent<"agent.tool_result">): void {
    const call = this.#calls.get(data.toolUseId);
    must(
      call?.namespace === namespace && !call.finished,
      "I5",
      () => `call ${data.toolUseId} has a second result at ${seq}`,
    );
    if (data.executedHash !== undefined)
      must(
        data.executedHash === call.allowed,
        "I7",
        () => `the result at ${seq} is of arguments that nobody approved`,
      );
    call.finished = true;
    this.#open.delete(data.toolUseId);
  }

  /** The first of decision and expiry counts. */
  #close(approvalId: string, seq: number): void {
    must(!this.#over.has(approvalId), "I7", () => `the approval ${approvalId} was over before ${seq}`);
    this.#over.add(approvalId);
  }

  #decide({ seq, data }: SessionEvent<"approval.decided">): void {
    this.#close(data.approvalId, seq);
    const call = this.#calls.get(this.#approvals.get(data.approvalId) ?? "");
    if (call === undefined || data.decision === "deny") return;
    call.allowed = data.decision === "edit" ? (data.inputHash ?? null) : call.asked;
  }
}
