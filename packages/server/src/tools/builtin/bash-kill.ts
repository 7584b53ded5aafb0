import { noSuchProcess } from "./bash-logs.ts";
import { defineTool } from "./define-tool.ts";

interface Input {
  id: string;
}

export const bashKill = defineTool<Input>({
  name: "bash_kill",
  effect: "idempotent",
  touchesWorkspace: false,
  needsSandbox: true,
  reachesOutside: false,
  mainArgument: "id",
  timeoutMs: 30_000,
  properties: { id: { type: "string", description: "what bash_run gave for the background process" } },
  required: ["id"],
  async run({ id }, context) {
    const sandbox = await context.sandbox();
    if (await sandbox.kill(id))
      return { ok: true, content: `${id} and everything that it started has ended.` };
    return noSuchProcess(
      id,
      (await sandbox.processes()).map((process) => process.id),
    );
  },
});
