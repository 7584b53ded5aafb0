import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const script = new URL("./victim.ts", import.meta.url).pathname;

/** Runs the steps in a process of their own until it dies of its failpoint, or until a step is done, then by SIGKILL. */
export async function runVictim(options: {
  dataDir: string;
  failpoint?: string;
  until?: string;
}): Promise<{ done: string[]; signal: string | null; stderr: string }> {
  const child = spawn(
    process.execPath,
    [script, options.dataDir, options.failpoint ?? "", options.until ?? ""],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const done: string[] = [];
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<string | null>((resolve) => {
    child.once("close", (_code, signal) => resolve(signal));
  });
  for await (const line of createInterface({ input: child.stdout })) {
    done.push(line);
    if (line === options.until) child.kill("SIGKILL");
  }
  return { done, signal: await ended, stderr };
}
