import { readFileSync } from "node:fs";
import { BerthError } from "../../lib/errors.ts";
import type { Tool, ToolContext, ToolOutcome } from "../tool.ts";
import { sandboxProblem } from "./sandbox-problem.ts";

type Properties = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

interface Definition<Input> extends Omit<Tool<Input>, "description" | "inputSchema" | "run"> {
  readonly properties: Properties;
  readonly required: readonly (keyof Input & string)[];
  run(input: Input, context: ToolContext): Promise<ToolOutcome>;
}

/**
 * A built-in tool: its prompt is the .md of its name beside it, its schema takes no other properties than the given ones,
 * and a typed error of the sandbox or of a fetch becomes an answer that the model can work with.
 */
export function defineTool<Input>({ properties, required, ...definition }: Definition<Input>): Tool<Input> {
  const file = new URL(`./${definition.name.replaceAll("_", "-")}.md`, import.meta.url);
  return {
    ...definition,
    description: readFileSync(file, "utf8").trim(),
    inputSchema: { type: "object", properties, required, additionalProperties: false },
    async run(input, context) {
      try {
        return await definition.run(input, context);
      } catch (thrown) {
        if (context.signal.aborted) return failed("aborted", "The call was stopped.");
        if (!(thrown instanceof BerthError) || thrown.code === "internal") throw thrown;
        const problem = sandboxProblem(thrown);
        if (problem !== null) return failed("runtime", problem.message, problem);
        const outcome = failed(wrongInput.has(thrown.code) ? "validation" : "runtime", thrown.message);
        return thrown.retryable ? { ...outcome, retryable: true } : outcome;
      }
    },
  };
}

const wrongInput = new Set(["path_invalid", "pattern_invalid", "command_invalid", "url_invalid"]);

type Failure = Extract<ToolOutcome, { ok: false }>;

export function failed(
  errorType: Failure["errorType"],
  message: string,
  more: Partial<Failure> = {},
): Failure {
  return { ok: false, errorType, message, ...more };
}
