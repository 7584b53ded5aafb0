import type { Agent } from "@berth/contract";

/** An agent's ETag is its version. */
export function agentHeaders({ version }: Pick<Agent, "version">): { readonly etag: string } {
  return { etag: `"${version}"` };
}
