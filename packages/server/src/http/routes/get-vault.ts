import { vaultStatus } from "@berth/contract";
import { describeVault } from "../../operations/vault.ts";
import { endpoint } from "../endpoint.ts";

export const getVaultRoute = endpoint({
  id: "getVault",
  method: "get",
  path: "/api/v1/vault",
  tag: "server",
  summary: "How the secrets of all organizations are sealed",
  replies: { 200: { description: "Counts, and the id of the master key.", schema: vaultStatus } },
  async handle({ operations, principal }) {
    return { status: 200, body: await describeVault(operations, principal) };
  },
});
