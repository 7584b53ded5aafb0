import type { Effect } from "@berth/contract";
import type { Tool, ToolContext, ToolOutcome } from "../../../src/tools/tool.ts";

/** A tool of a test: what it does is a function. */
export function testTool(
  name: string,
  run: (input: Record<string, unknown>, context: ToolContext) => Promise<ToolOutcome> | ToolOutcome,
  options: { effect?: Effect; timeoutMs?: number; reachesOutside?: boolean } = {},
): Tool {
  return {
    name,
    description: `The tool ${name}.`,
    inputSchema: { type: "object" },
    effect: options.effect ?? "pure",
    touchesWorkspace: (options.effect ?? "pure") !== "pure",
    reachesOutside: options.reachesOutside ?? false,
    timeoutMs: options.timeoutMs ?? 60_000,
    run: async (input, context) => run(input as Record<string, unknown>, context),
  };
}

/** Answers with its input's `say`. */
export const echo = testTool("echo", ({ say }) => ({ ok: true, content: String(say) }));
