import { spawn } from "node:child_process";
import { once } from "node:events";

/** Runs a program to its end and says nothing of what it says. */
export async function runProgram(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: "ignore" });
  await once(child, "exit");
}
