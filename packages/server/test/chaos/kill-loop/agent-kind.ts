/**
 * auto: everything is allowed. careful: commands and writes are approved first. hasty: approvals run out before anybody decides.
 * narrow: its context is soon full. mocked: a model over HTTP that says something else at each attempt.
 */
export type AgentKind = "auto" | "careful" | "hasty" | "narrow" | "mocked";
