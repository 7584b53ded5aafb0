import { defineTool } from "./define-tool.ts";

const minuteMs = 60_000;
const defaultMinutes = 60;

interface Input {
  port: number;
  minutes?: number;
}

export const portOpen = defineTool<Input>({
  name: "port_open",
  effect: "idempotent",
  touchesWorkspace: false,
  needsSandbox: true,
  // Who has the address gets in.
  reachesOutside: true,
  timeoutMs: 60_000,
  properties: {
    port: { type: "integer", minimum: 1, maximum: 65_535, description: "on which the program listens" },
    minutes: {
      type: "integer",
      minimum: 1,
      maximum: 1_440,
      description: `how long the address is good; default ${defaultMinutes}`,
    },
  },
  required: ["port"],
  async run({ port, minutes = defaultMinutes }, context) {
    const sandbox = await context.sandbox();
    const opened = await context.openPort({ sandboxId: sandbox.id, port, ttlMs: minutes * minuteMs });
    const listens = (await sandbox.listening()).includes(port);
    const note = listens ? "" : `\nNothing listens on port ${port} yet: start the program, then it is there.`;
    return { ok: true, content: `${opened.url}\nIt is good until ${opened.expiresAt}.${note}` };
  },
});
