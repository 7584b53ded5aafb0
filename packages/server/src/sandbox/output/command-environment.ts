import { BerthError } from "../../lib/errors.ts";

/** Linux takes 128 KiB for one variable. */
const maxOneBytes = 120_000;
const maxEnvironmentBytes = 256 * 1024;

/** Variables that a command is given, if every program can take them. Throws `command_invalid`. */
export function checkedEnvironment(
  environment: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  let bytes = 0;
  for (const [name, value] of Object.entries(environment)) {
    const size = Buffer.byteLength(name) + Buffer.byteLength(value);
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || value.includes("\0") || size > maxOneBytes) {
      throw invalid(`The environment variable ${JSON.stringify(name.slice(0, 100))} cannot be set.`);
    }
    bytes += size;
  }
  if (bytes > maxEnvironmentBytes)
    throw invalid(`An environment can have at most ${maxEnvironmentBytes} bytes.`);
  return environment;
}

function invalid(message: string): BerthError {
  return new BerthError("command_invalid", message);
}
