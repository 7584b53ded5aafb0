import type { AgentDefinitionInput, ClientTool } from "@berth/contract";
import { bodyOf } from "../../support/server/api.ts";
import type { Caller } from "./caller.ts";

const script = "scripted/script";
export const mockProvider = "mock";
const mockModel = `${mockProvider}/nonce`;

const question = {
  type: "object",
  properties: { question: { type: "string" } },
  required: ["question"],
  additionalProperties: false,
};

const clientTools: ClientTool[] = [
  { name: "ask_caller", description: "Asks the caller.", inputSchema: question, timeoutMs: 60_000 },
  { name: "ask_in_vain", description: "Asks nobody.", inputSchema: question, timeoutMs: 1_000 },
];

const base = { model: script, tools: ["*"], clientTools, subagents: ["helper"] };
const asks = ["bash_run", "fs_write"];

const definitions: readonly AgentDefinitionInput[] = [
  {
    ...base,
    name: "helper",
    clientTools: [],
    subagents: [],
    permissions: { mode: "auto", approvalTimeoutMs: 3_000 },
  },
  { ...base, name: "auto", permissions: { mode: "auto" } },
  {
    ...base,
    name: "careful",
    permissions: { mode: "auto", requireApproval: asks, approvalTimeoutMs: 60_000 },
  },
  { ...base, name: "hasty", permissions: { mode: "auto", requireApproval: asks, approvalTimeoutMs: 1_000 } },
  { ...base, name: "narrow", permissions: { mode: "auto" }, contextWindow: 3_000 },
  { name: "mocked", model: mockModel, permissions: { mode: "auto" } },
];

export async function createAgents(caller: Caller): Promise<void> {
  for (const body of definitions) {
    const { reply } = await caller.call({ method: "POST", path: "/agents", body });
    bodyOf(reply, 201);
  }
}
