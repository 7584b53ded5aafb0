import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";

/** Runs a program of this machine to its end, with nothing of the server's environment. Rejects with what it said. */
export function runProgram(file: string, list: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(file, list, { env: {}, cwd: "/" }, (failed, out, said) => {
      if (failed === null) resolve(out);
      else reject(new Error(`${file} failed: ${said.trim() || failed.message}`, { cause: failed }));
    });
  });
}

const places = ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/local/sbin"];

/** Where a program is; null when it is not installed. The server's PATH is not asked: it may be anybody's. */
export function findProgram(name: string): string | null {
  return places.map((place) => `${place}/${name}`).find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
