/** How much of a processor a call on this thread takes, in milliseconds. What else the machine has to do does not count. */
export function cpuMsOf(call: () => void): number {
  const before = process.threadCpuUsage();
  call();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}
