import { spawnSync } from "node:child_process";
import { closeSync, constants, fstatSync, mkdtempSync, openSync } from "node:fs";
import { Socket } from "node:net";

/**
 * Real pipes for output. What Node itself makes are sockets, which a command cannot open anew by /dev/stdout or /dev/stderr,
 * and one for each stream, which loses their order.
 */
export interface OutputPipe {
  readonly reader: Socket;
  /** For the command, as its output and its errors. */
  readonly writer: number;
  /** Nobody can write to it any more: it can be had again. */
  giveBack(): void;
}

const madeAtOnce = 8;
let free: string[] = [];

/** Makes named pipes for the next commands, unless there are some. 2 ms. */
export function preparePipes(): void {
  if (free.length > 0) return;
  const folder = mkdtempSync("/tmp/.berth-");
  const made = Array.from({ length: madeAtOnce }, (_, at) => `${folder}/${at}`);
  const { status } = spawnSync("/usr/bin/mkfifo", ["-m", "600", ...made], { stdio: "ignore", env: {} });
  if (status !== 0) throw new Error("no pipes could be made");
  free = made;
}

export function takePipe(): OutputPipe {
  preparePipes();
  const path = free.pop() ?? "";
  try {
    return openPipe(path);
  } catch {
    // Somebody has emptied /tmp.
    free = [];
    preparePipes();
    return openPipe(free.pop() ?? "");
  }
}

function openPipe(path: string): OutputPipe {
  const input = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  let writer: number | null = null;
  try {
    if (!fstatSync(input).isFIFO()) throw new Error("not a pipe");
    // By the descriptor, so that it is the same pipe whatever has the name by now; so there is a reader and this never waits.
    writer = openSync(`/proc/self/fd/${input}`, constants.O_WRONLY);
    const reader = new Socket({ fd: input, readable: true, writable: false });
    return { reader, writer, giveBack: () => void free.push(path) };
  } catch (thrown) {
    closeSync(input);
    if (writer !== null) closeSync(writer);
    throw thrown;
  }
}
