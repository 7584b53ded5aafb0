/** One variable of the environment that somebody names, for a secret that must not stand on a command line. */
export function readVariable(
  name: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | null {
  return env[name] ?? null;
}
