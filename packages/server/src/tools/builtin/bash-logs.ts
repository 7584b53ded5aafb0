import { capOutput } from "./capped-output.ts";
import { defineTool, failed } from "./define-tool.ts";

interface Input {
  id: string;
  offset?: number;
}

export const bashLogs = defineTool<Input>({
  name: "bash_logs",
  effect: "pure",
  touchesWorkspace: false,
  needsSandbox: true,
  reachesOutside: false,
  mainArgument: "id",
  timeoutMs: 30_000,
  properties: {
    id: { type: "string", description: "what bash_run gave for the background process" },
    offset: {
      type: "integer",
      minimum: 0,
      description: "where to read on, as the last call told; default 0",
    },
  },
  required: ["id"],
  async run({ id, offset = 0 }, context) {
    const sandbox = await context.sandbox();
    const log = await sandbox.logs(id, offset);
    if (log === null)
      return noSuchProcess(
        id,
        (await sandbox.processes()).map((process) => process.id),
      );
    const { running, code } = log.process;
    const state = running ? "is running" : `ended with exit code ${code ?? "unknown (a signal)"}`;
    const { content, ...output } = await capOutput(log.text, context);
    return {
      ok: true,
      content: `${content}${content === "" ? "" : "\n"}[${id} ${state}; read on with offset ${log.nextOffset}]`,
      ...output,
    };
  },
});

export function noSuchProcess(id: string, known: readonly string[]) {
  const suggestion =
    known.length === 0 ? "No background process was started since." : `There are: ${known.join(", ")}.`;
  return failed(
    "runtime",
    `There is no background process ${id}; it may have ended when the server was restarted.`,
    {
      suggestions: [suggestion],
    },
  );
}
