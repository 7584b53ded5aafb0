export type * from "@berth/contract";
export { type BerthClient, type ClientOptions, createClient } from "./client.ts";
export type { Clock } from "./clock.ts";
export { BerthApiError, BerthConnectionError, BerthInputRefusedError } from "./error.ts";
export type { FollowedEvent } from "./event-frame.ts";
export { BrokenStreamError, type FollowState } from "./follow.ts";
export type { CallOptions, ChangeOptions, PageQuery } from "./pages.ts";
export type { AgentQuery } from "./resources/agents.ts";
export type { ApiKeyQuery } from "./resources/api-keys.ts";
export type { ApprovalQuery } from "./resources/approvals.ts";
export type { InvitationQuery, MemberQuery } from "./resources/members.ts";
export type { AuditQuery } from "./resources/audit.ts";
export type { BudgetQuery } from "./resources/budgets.ts";
export type { RunQuery } from "./resources/runs.ts";
export type { AllocationQuery, SandboxQuery } from "./resources/sandboxes.ts";
export type { TerminalHandle, TerminalOptions } from "./terminal.ts";
export type { ExecEvent, FollowedOutput } from "./output.ts";
export type { Changed, SessionQuery } from "./resources/sessions.ts";
export type { UsageQuery } from "./resources/usage.ts";
export type { EventsOptions } from "./session/event-source.ts";
export type {
  ApprovalRequest,
  ClientToolHandler,
  RunHandlers,
  RunOptions,
  RunResult,
  ToolCall,
} from "./session/run-options.ts";
export type { InterruptOptions, SessionHandle } from "./session/session-handle.ts";
export type {
  Block,
  Change,
  MessageBlock,
  NoticeBlock,
  RunBlock,
  SubagentBlock,
  TextBlock,
  ToolBlock,
  ToolState,
} from "./transcript/block.ts";
export { createTranscript, type Transcript } from "./transcript/transcript.ts";
export type { Hint, Topic, WatchOptions } from "./watch.ts";
