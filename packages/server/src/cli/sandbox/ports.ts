import type { SandboxPort } from "@berth/client";
import type { Command } from "commander";
import { parseDuration } from "../../lib/duration.ts";
import type { Actions } from "../context.ts";
import { CliError, exit } from "../exit.ts";
import { timeOption } from "../time-option.ts";
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
      .option(
        "--ttl <time>",
        "how long the address is good, for example 8h; default: 1h, at most 24h",
        timeOption({ least: 1_000, most: 86_400_000 }),
      )
      .option("--close <port>", "make every address of this port worthless"),
  );
  actions.bind<PortFlags>(ports, async (context) => {
    const { client, args, flags, print, printList, signal } = context;
    const { open, close, ttl } = flags;
    const [opening, closing] = [open, close].map((text) => (text === undefined ? undefined : portOf(text)));
    const berth = await client();
    const { id } = await targetOf(context, berth, args[0] ?? "");
    if (opening !== undefined) {
      const body = { port: opening, ...(ttl !== undefined && { ttlMs: parseDuration(ttl) }) };
      const opened = await berth.sandboxes.openPort(id, body, { signal });
      return print(opened, `${opened.url}\n`);
    }
    if (closing !== undefined) {
      await berth.sandboxes.closePort(id, closing, { signal });
      return print({ closed: closing }, `Port ${closing} is closed.\n`);
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
