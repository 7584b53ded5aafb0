/** Without anything to read again a hang-up ends the program, as it does others. */
export function reloadOnHangUp(reload: (() => Promise<void>) | null): { end(): void } {
  const onHangUp = () => void reload?.();
  if (reload !== null) process.on("SIGHUP", onHangUp);
  return { end: () => void process.off("SIGHUP", onHangUp) };
}
