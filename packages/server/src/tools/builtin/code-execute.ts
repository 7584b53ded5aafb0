import { failpoint } from "../../lib/failpoint.ts";
import { BerthError } from "../../lib/errors.ts";
import type { ExecResult, ExecSpec, Sandbox } from "../../sandbox/sandbox.ts";
import type { ToolOutcome } from "../tool.ts";
import { maxStoredBytes } from "./capped-output.ts";
import { commandOf, languages, type LanguageName, missingProgram } from "./code-languages.ts";
import { commandOutcome, liveOutput } from "./command-outcome.ts";
import { defineTool, failed } from "./define-tool.ts";
import { takeOutputFiles } from "./output-files.ts";

const defaultTimeoutMs = 120_000;
const maxTimeoutMs = 600_000;

interface Input {
  language: LanguageName;
  code: string;
  timeoutMs?: number;
}

export const codeExecute = defineTool<Input>({
  name: "code_execute",
  effect: "once",
  touchesWorkspace: true,
  needsSandbox: true,
  reachesOutside: true,
  mainArgument: "language",
  // The code has its own time limit; this one is for everything around it.
  timeoutMs: maxTimeoutMs + 30_000,
  properties: {
    language: { type: "string", enum: Object.keys(languages) },
    code: { type: "string", minLength: 1, maxLength: 100_000, description: "the whole program" },
    timeoutMs: {
      type: "integer",
      minimum: 1,
      maximum: maxTimeoutMs,
      description: `milliseconds until the code is ended; default ${defaultTimeoutMs}`,
    },
  },
  required: ["language", "code"],
  async run({ language, code, timeoutMs = defaultTimeoutMs }, context) {
    const folder = `output/${context.toolUseId}`;
    const sandbox = await context.sandbox();
    const result = await runOnce(sandbox, {
      command: commandOf(languages[language], folder),
      stdin: new TextEncoder().encode(code),
      timeoutMs,
      signal: context.signal,
      onOutput: liveOutput(context),
      maxOutputBytes: maxStoredBytes,
    });
    failpoint("tool.effect-done");
    if (result.code === missingProgram && result.outputBytes === 0) return noSuchProgram(language);
    const moreTime = `Give it more time with timeoutMs (at most ${maxTimeoutMs}).`;
    const outcome = await commandOutcome(result, { what: "The code", timeoutMs, moreTime, context });
    if (!outcome.ok) return withHint(outcome, language, result.output);
    const { note, images } = await takeOutputFiles(folder, context);
    if (note === null) return outcome;
    const text = `${typeof outcome.content === "string" ? outcome.content.trimEnd() : ""}\n${note}`;
    if (images.length === 0) return { ...outcome, content: text };
    return { ...outcome, content: [{ type: "text", text }, ...images] };
  },
});

/** In a sandbox of its own where that can be had: nothing that the code starts outlives it. */
async function runOnce(sandbox: Sandbox, spec: ExecSpec): Promise<ExecResult> {
  try {
    return await sandbox.exec({ ...spec, oneshot: true });
  } catch (error) {
    if (!(error instanceof BerthError) || error.code !== "sandbox_unsupported") throw error;
    return await sandbox.exec(spec);
  }
}

function noSuchProgram(language: LanguageName): ToolOutcome {
  const { program } = languages[language];
  return failed(
    "runtime",
    `${program} is not installed where commands run, so ${language} code cannot run.`,
    {
      suggestions: [
        "Write it in another language, or ask the operator to install it in the image of the sandboxes.",
      ],
    },
  );
}

const missingPackage =
  /ModuleNotFoundError: No module named|Cannot find (?:module|package) '|ERR_MODULE_NOT_FOUND/;

function withHint(
  outcome: Extract<ToolOutcome, { ok: false }>,
  language: LanguageName,
  output: string,
): ToolOutcome {
  if (!missingPackage.test(output)) return outcome;
  const hint = `Only the packages of the image are there. See which with bash_run or with code_execute and language bash: ${languages[language].packages}`;
  return { ...outcome, suggestions: [...(outcome.suggestions ?? []), hint] };
}
