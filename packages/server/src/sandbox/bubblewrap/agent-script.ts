import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/**
 * The program that runs in every sandbox, as one JavaScript module without imports; the same text until Berth changes. Made
 * by a process of its own (0.1 s), because Node's type stripper stays in the memory of whoever has used it (36 MB).
 */
export async function agentScript(): Promise<string> {
  const assemble = fileURLToPath(new URL("./agent/assemble.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [assemble], { env: {} });
  return stdout;
}
