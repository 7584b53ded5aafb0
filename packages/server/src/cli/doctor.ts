import { Command } from "commander";
import { configOf } from "./connection.ts";
import type { Actions, GlobalFlags } from "./context.ts";
import type { Finding } from "./doctor/finding.ts";
import { checkIsolation } from "./doctor/isolation.ts";
import { checkMachine } from "./doctor/machine.ts";
import { checkServer } from "./doctor/server.ts";
import { exit, failureOf } from "./exit.ts";
import type { Io, Printer } from "./terminal/io.ts";

export function doctorCommand(actions: Actions): Command {
  const command = new Command("doctor")
    .description("Check this machine, the data folder and the server, and say what to do.")
    .addHelpText("after", "\nExamples:\n  ./berth doctor\n  ./berth doctor --data /var/lib/berth --json");
  return actions.bind(command, async ({ flags, io, printer, print, signal }) => {
    const findings = await examine({ flags, io }, signal);
    print(findings, () => findings.map((one) => line(printer, one)).join(""));
    return findings.some(({ status }) => status === "fail") ? exit.failed : exit.ok;
  });
}

async function examine(
  { flags, io }: { flags: GlobalFlags; io: Io },
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  try {
    const loaded = configOf(flags, io.env);
    const valid: Finding = { name: "configuration", status: "ok", detail: loaded.file ?? "valid" };
    const server = await checkServer(loaded, signal);
    const isolation = server.reachable ? [] : await checkIsolation(loaded);
    return [valid, ...(await checkMachine(loaded, server.reachable)), ...isolation, ...server.findings];
  } catch (error) {
    const { message } = failureOf(error);
    return [
      {
        name: "configuration",
        status: "fail",
        detail: message,
        fix: "Mend it: ./berth config docs tells what can be set.",
      },
    ];
  }
}

const colors = { ok: "green", warn: "yellow", fail: "red" } as const;

function line(printer: Printer, { name, status, detail, fix }: Finding): string {
  const what = fix === undefined ? "" : `\n      ${" ".repeat(15)}${fix}`;
  return `${printer.style(colors[status], status.padEnd(4))}  ${name.padEnd(14)} ${detail}${what}\n`;
}
