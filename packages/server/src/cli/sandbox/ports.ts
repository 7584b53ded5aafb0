import type { SandboxPort } from "@berth/client";
import type { Command } from "commander";
import { parseDuration } from "../../lib/duration.ts";
import type { Actions } from "../context.ts";
import { CliError, exit } from "../exit.ts";
import { inSandbox } from "./in-sandbox.ts";
import { targetOf } from "./target.ts";

interface PortFlags {
  readonly open?: string;
  readonly close?: string;
  readonly ttl?: string;
}

export function bindSandboxPorts(actions: Actions, sandbox: Command): void {
  const ports = inSandbox(
    sandbox
      .command("ports <session|sandbox>")
      .description("List ports of a sandbox on which something listens; open one to a browser, or close it.")
      .option("--open <port>", "print an address that leads to this port")
      .option("--ttl <time>", "how long the address is good, for example 8h; default: 1h, at most 24h")
      .option("--close <port>", "make every address of this port worthless"),
  );
  actions.bind<PortFlags>(ports, async (context) => {
    const { client, args, flags, print, printList, signal } = context;
    const { open, close, ttl } = flags;
    const berth = await client();
    const { id } = await targetOf(context, berth, args[0] ?? "");
    if (open !== undefined) {
      const body = { port: portOf(open), ...(ttl !== undefined && { ttlMs: parseDuration(ttl) }) };
      const opened = await berth.sandboxes.openPort(id, body, { signal });
      return print(opened, `${opened.url}\n`);
    }
    if (close !== undefined) {
      await berth.sandboxes.closePort(id, portOf(close), { signal });
      return print({ closed: portOf(close) }, `Port ${portOf(close)} is closed.\n`);
    }
    printList(await berth.sandboxes.ports(id, { signal }), columns, "Nothing listens in the sandbox.");
  });
}

const columns = {
  PORT: ({ port }: SandboxPort) => String(port),
  LISTENS: ({ listening }: SandboxPort) => (listening ? "yes" : "no"),
  "OPEN UNTIL": ({ open }: SandboxPort) => open?.expiresAt.slice(0, 19).replace("T", " ") ?? "-",
};

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new CliError(`${text} is no port: it is a number from 1 to 65535.`, exit.usage);
}
