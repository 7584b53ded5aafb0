import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

/** The process that holds a data folder. */
export interface Holder {
  readonly pid: number;
  /** Where it answers; null while it does not listen yet. */
  readonly url: string | null;
}

/** Who holds the data folder: null when nobody does, or none that this machine can see alive. */
export async function readHolder(data: string): Promise<Holder | null> {
  const text = await readFile(join(data, "berth.lock.json"), "utf8").catch(() => null);
  if (text === null) return null;
  const { pid, host, url } = parse(text);
  if (typeof pid !== "number" || host !== hostname() || !isAlive(pid)) return null;
  return { pid, url: typeof url === "string" && URL.canParse(url) ? reachable(url) : null };
}

function parse(text: string): { pid?: unknown; host?: unknown; url?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** A server that listens everywhere is reached at this machine's own address. */
function reachable(url: string): string {
  return url.replace("//0.0.0.0", "//127.0.0.1").replace("//[::]", "//[::1]");
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
