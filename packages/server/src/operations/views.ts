import type {
  AcceptedInput,
  Agent,
  AgentVersion,
  Approval,
  Page,
  Run,
  Session,
  ToolInfo,
} from "@berth/contract";
import type { AgentRecord, ApprovalRecord, RunRecord, SessionRecord } from "../store/records.ts";
import type { AcceptedRecord } from "../store/store.ts";
import type { Tool } from "../tools/tool.ts";

/** RFC 3339 of milliseconds since 1970. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

export function timeOrNull(ms: number | null): string | null {
  return ms === null ? null : timeText(ms);
}

/** A session as the API shows it: nothing of who holds it. */
export function sessionView(record: SessionRecord): Session {
  return {
    id: record.id,
    agent: record.agent,
    owner: record.owner,
    key: record.key,
    title: record.title,
    metadata: { ...record.metadata },
    model: record.model,
    visibility: record.visibility,
    status: record.status,
    currentRunId: record.currentRunId,
    lastSeq: record.lastSeq,
    generation: record.generation,
    forkedFrom: record.forkedFrom === null ? null : { ...record.forkedFrom },
    usage: record.usage,
    createdAt: timeText(record.createdAt),
    updatedAt: timeText(record.updatedAt),
  };
}

export function runView(record: RunRecord): Run {
  return {
    id: record.id,
    sessionId: record.sessionId,
    status: record.status,
    reason: record.reason,
    error: record.error,
    recovery: [...record.recovery],
    usage: record.usage,
    cost: record.cost,
    steps: record.steps,
    createdAt: timeText(record.createdAt),
    startedAt: timeOrNull(record.startedAt),
    finishedAt: timeOrNull(record.finishedAt),
  };
}

export function approvalView(record: ApprovalRecord): Approval {
  return {
    id: record.id,
    sessionId: record.sessionId,
    runId: record.runId,
    toolUseId: record.toolUseId,
    tool: record.tool,
    input: record.input,
    inputHash: record.inputHash,
    path: [...record.path],
    status: record.status,
    decidedBy: record.decidedBy,
    note: record.note,
    createdAt: timeText(record.createdAt),
    expiresAt: timeText(record.expiresAt),
    decidedAt: timeOrNull(record.decidedAt),
  };
}

export function agentView(record: AgentRecord): Agent {
  return {
    ...record.definition,
    id: record.id,
    version: record.version,
    archived: record.archived,
    createdAt: timeText(record.createdAt),
    updatedAt: timeText(record.updatedAt),
  };
}

export function agentVersionView(record: AgentRecord): AgentVersion {
  return {
    agentId: record.id,
    version: record.version,
    createdAt: timeText(record.createdAt),
    definition: record.definition,
  };
}

export function toolView({ name, description, effect, inputSchema }: Tool): ToolInfo {
  return { name, description, effect, inputSchema: { ...inputSchema } };
}

export function acceptedView({ id, position, runId }: AcceptedRecord): AcceptedInput {
  return { id, position, runId };
}

/** A page of what the store gave, as the API shows it. */
export function pageView<T, U>(page: Page<T>, view: (item: T) => U): { items: U[]; next: string | null } {
  return { items: page.items.map(view), next: page.next };
}
