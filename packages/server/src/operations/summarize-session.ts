import type { Content, Session, SessionEvent } from "@berth/contract";
import type { Principal } from "../auth/principal.ts";
import { decodeEvent } from "../session/upcast.ts";
import type { SessionRecord, StoredEvent } from "../store/records.ts";
import { sessionFor } from "./access.ts";
import type { OperationsContext } from "./context.ts";
import { sessionView } from "./views.ts";

/** What a session is about and how far it came, told from its log without a model. */
export interface SessionSummary {
  readonly session: Session;
  readonly firstMessage: SaidText | null;
  readonly lastMessage: SaidText | null;
  readonly lastAnswer: SaidText | null;
  readonly counts: {
    readonly events: number;
    readonly messages: number;
    readonly answers: number;
    readonly runs: number;
    readonly steps: number;
    readonly toolCalls: number;
    readonly subagents: number;
    readonly approvals: number;
  };
}

interface SaidText {
  readonly seq: number;
  readonly at: string;
  readonly text: string;
}

/** Characters of a text that a summary shows. */
const shownLength = 500;
const page = { limit: 1_000, maxBytes: 1 << 20 };

/** Rejects with `session_not_found`. */
export async function summarizeSession(
  context: OperationsContext,
  principal: Principal,
  { sessionId }: { readonly sessionId: string },
): Promise<SessionSummary> {
  const session = await sessionFor({ context, principal, id: sessionId, permission: "session:read" });
  const scan = createScan();
  await readAll(context, session, (event) => scan.note(event));
  return { session: sessionView(session), ...scan.result() };
}

async function readAll(
  context: OperationsContext,
  session: SessionRecord,
  note: (event: StoredEvent) => void,
): Promise<void> {
  const store = context.store.session(session.orgId, session.id);
  for (let after = 0; after < session.lastSeq;) {
    const read = await store.readLog({ after, ...page });
    const last = read?.events.at(-1);
    if (read === null || last === undefined) return;
    for (const event of read.events) note(event);
    after = last.seq;
  }
}

/** Counts by type and keeps the outermost messages as text: only those that are shown are parsed. */
function createScan() {
  const byType = new Map<string, number>();
  let first: StoredEvent | null = null;
  let last: StoredEvent | null = null;
  let answer: StoredEvent | null = null;
  const count = (type: string) => byType.get(type) ?? 0;
  return {
    note(event: StoredEvent): void {
      byType.set(event.type, count(event.type) + 1);
      if (event.type === "user.message") {
        first ??= event;
        last = event;
      }
      if (event.type === "agent.message" && event.json.includes('"namespace":""')) answer = event;
    },
    result(): Omit<SessionSummary, "session"> {
      return {
        firstMessage: saidText(first),
        lastMessage: saidText(last),
        lastAnswer: saidText(answer),
        counts: {
          events: [...byType.values()].reduce((sum, one) => sum + one, 0),
          messages: count("user.message"),
          answers: count("agent.message"),
          runs: count("run.started"),
          steps: count("step.started"),
          toolCalls: count("agent.tool_use"),
          subagents: count("subagent.started"),
          approvals: count("approval.requested"),
        },
      };
    },
  };
}

function saidText(stored: StoredEvent | null): SaidText | null {
  if (stored === null) return null;
  const event = decodeEvent(stored.json);
  const text = textOf(event);
  const shown = text.length > shownLength ? `${text.slice(0, shownLength).trimEnd()}…` : text;
  return { seq: event.seq, at: event.at, text: shown };
}

function textOf(event: SessionEvent): string {
  if (event.type === "agent.message") return event.data.text;
  return event.type === "user.message" ? plainText(event.data.content) : "";
}

function plainText(content: Content): string {
  if (typeof content === "string") return content;
  return content.map((part) => (part.type === "text" ? part.text : `[${part.type}]`)).join("\n");
}
