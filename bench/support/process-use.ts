import { readdirSync, readFileSync } from "node:fs";

/** Linux counts CPU time for others in ticks of 10 ms. */
const tickMs = 10;

/** CPU milliseconds that a process has used, all its threads together. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  // After the name: state is field 0, utime 11, stime 12.
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

/** The same in microseconds and as fine as the kernel counts, of the threads that live now. */
export function cpuUs(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const ns = tasks.map((task) =>
    Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]),
  );
  return ns.reduce((sum, one) => sum + one, 0) / 1_000;
}

/** Resident memory of a process in MB (10^6 bytes), and how much of it is its own (not files that it maps). */
export function residentMb(pid: number): { readonly all: number; readonly own: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mb = (field: string) =>
    (Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? Number.NaN) * 1_024) / 1e6;
  return { all: mb("VmRSS"), own: mb("RssAnon") };
}
