import { readdirSync, readFileSync } from "node:fs";

const closeOnExec = 0o2000000;

/**
 * Descriptors that whoever started this server left open and that its children would get too: a log, a lock, a pipe. Node
 * opens its own with close-on-exec, and bubblewrap closes none.
 */
export function inheritedDescriptors(): number[] {
  const found: number[] = [];
  for (const name of readdirSync("/proc/self/fd")) {
    const descriptor = Number(name);
    if (descriptor <= 2) continue;
    try {
      const info = readFileSync(`/proc/self/fdinfo/${name}`, "latin1");
      const flags = Number.parseInt(/^flags:\s*([0-7]+)/m.exec(info)?.[1] ?? "", 8);
      if ((flags & closeOnExec) === 0) found.push(descriptor);
    } catch {
      // The descriptor of the listing itself, closed by now.
    }
  }
  return found;
}
