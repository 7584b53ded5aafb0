import * as contract from "@berth/contract";
import { z } from "@hono/zod-openapi";

/** Schemas that the document names once and refers to. */
const named = {
  AcceptedInput: contract.acceptedInput,
  Agent: contract.agent,
  AgentDefinition: contract.agentDefinition,
  AgentVersion: contract.agentVersion,
  Approval: contract.approval,
  BlobRef: contract.blobRef,
  ClientTool: contract.clientTool,
  ContentPart: contract.contentPart,
  FileEntry: contract.fileEntry,
  LiveSession: contract.liveSession,
  Me: contract.me,
  Model: contract.model,
  PendingInput: contract.pendingInput,
  Permissions: contract.permissions,
  Problem: contract.problem,
  Recovery: contract.recovery,
  Run: contract.run,
  RunLimits: contract.runLimits,
  RuntimeHealth: contract.runtimeHealth,
  RuntimeStats: contract.runtimeStats,
  SendableInput: contract.sendableInput,
  Session: contract.session,
  SessionEvent: contract.sessionEvent,
  System: contract.system,
  Todo: contract.todo,
  Tool: contract.tool,
  Usage: contract.usage,
} as const;

/** Gives the schemas their names in the document. What a schema says about itself already is kept. */
export function nameSchemas(): void {
  for (const [id, schema] of Object.entries(named)) {
    z.globalRegistry.add(schema, { ...z.globalRegistry.get(schema), id });
  }
}
