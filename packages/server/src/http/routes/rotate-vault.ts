import { rotateVaultBody, rotateVaultReply } from "@berth/contract";
import { rotateVault } from "../../operations/vault.ts";
import { endpoint } from "../endpoint.ts";

export const rotateVaultRoute = endpoint({
  id: "rotateVault",
  method: "post",
  path: "/api/v1/vault/rotate",
  tag: "server",
  rate: "heavy",
  summary: "Wraps every data key by the master key in use",
  description: "What a rotation that was cut off has left, the next one does.",
  body: rotateVaultBody,
  bodyOptional: true,
  replies: { 200: { description: "What was done.", schema: rotateVaultReply } },
  async handle({ operations, principal, body, origin }) {
    return { status: 200, body: await rotateVault(operations, principal, { ...body, origin }) };
  },
});
