import { loadConfig } from "../config/load.ts";
import { asBerthError } from "../lib/errors.ts";
import { type Program, startProgram } from "../roles/program.ts";
import { announcedChat } from "./announced-chat.ts";
import { compactHeap } from "../lib/compact-heap.ts";
import { failureOf } from "./exit.ts";
import { reloadOnHangUp } from "./hang-up.ts";

/** `berth serve`: starts the server, says where it is, and stops it on SIGTERM or SIGINT. Returns the exit code. */
export async function serve(flags: Readonly<Record<string, unknown>>): Promise<number> {
  let started = false;
  try {
    const loaded = loadConfig({ flags });
    const program = await startProgram(loaded);
    // Before anybody is told that it is ready: who reads that may send a signal at once.
    const reloads = reloadOnHangUp(program.reload);
    started = true;
    const stopped = untilStopped(() => program.stop()).finally(() => reloads.end());
    console.log(announcement(program, announcedChat(program, loaded)));
    compactHeap();
    await stopped;
    return 0;
  } catch (thrown) {
    const error = asBerthError(thrown);
    // What a stop fails with has been logged, whole.
    if (started)
      console.error(`Berth has stopped, and leaves the next start something to tidy: ${error.message}`);
    else console.error(`Berth could not start: ${error.message}`);
    if (!started && error.code === "internal") console.error(error.cause);
    return failureOf(error).exitCode;
  }
}

/** The lines that a server which has started says of itself. */
export function announcement(
  started: Omit<Program, "telemetry" | "reload" | "stop">,
  chat = "./berth chat",
): string {
  const { url, mode, dataDir, defaultModel, modelProblems, sandboxes, newAdminKey, adminKeyFile } = started;
  const lines = [`Berth is ready at ${url}`, `  data   ${dataDir}`, `  model  ${defaultModel}`];
  if (defaultModel === "demo/tour") {
    const remedy =
      modelProblems.length > 0 ? "" : "; set OPENAI_API_KEY or another provider's key for a real one";
    lines.push(`         a built-in demo${remedy}`);
  }
  for (const problem of modelProblems) lines.push(`         ${problem}`);
  lines.push(`  tools  ${toolsLine(sandboxes)}`);
  if (newAdminKey !== null)
    lines.push(
      `  key    ${newAdminKey}`,
      `         the admin key, shown this once and kept in ${adminKeyFile}`,
    );
  if (mode === "multi") {
    lines.push(
      "  mode   multi: many organizations.",
      "",
      `Make an organization in another terminal:  ${chat.replace("chat", "org create")} NAME --owner EMAIL`,
    );
  } else lines.push("", `Talk to an agent in another terminal:  ${chat}`);
  return lines.join("\n");
}

/** Where commands of agents run, and what to do where that is not isolated. */
function toolsLine({ provider, isolated, label, reasons, unavailable }: Program["sandboxes"]): string {
  const remedy = "run apt-get install bubblewrap and start again; ./berth doctor says what else is missing";
  if (unavailable !== null) return `commands are refused: ${unavailable}\n         ${remedy}`;
  const more = reasons.map((reason) => `\n         ${reason}`).join("");
  if (!isolated) return `run as this server's own user, ${label}: to isolate them ${remedy}${more}`;
  return `run in sandboxes, ${label.includes(provider) ? label : `${provider}: ${label}`}${more}`;
}

/** A terminal's Ctrl-C reaches the server twice under npm, which forwards it: what comes within this time is the same one. Milliseconds. */
const sameSignalMs = 500;

/** Resolves when the program has stopped after the first signal; a second one ends it at once. */
function untilStopped(stop: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const signals = ["SIGTERM", "SIGINT"] as const;
    let askedAt: number | null = null;
    const onSignal = (signal: NodeJS.Signals) => {
      if (askedAt !== null && performance.now() - askedAt < sameSignalMs) return;
      if (askedAt !== null) {
        for (const name of signals) process.off(name, onSignal);
        process.kill(process.pid, signal);
        return;
      }
      askedAt = performance.now();
      console.error(
        "Stopping: runs may finish, then the rest is handed over. Press Ctrl-C again to end at once.",
      );
      stop().then(() => {
        for (const name of signals) process.off(name, onSignal);
        resolve();
      }, reject);
    };
    for (const name of signals) process.on(name, onSignal);
  });
}
