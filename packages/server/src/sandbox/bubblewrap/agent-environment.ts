import { BerthError } from "../../lib/errors.ts";
import { proxyPort } from "./agent/ports.ts";

/** Linux takes 128 KiB for one argument or variable; a terminal's command is quoted once more. */
const maxOneBytes = 120_000;
const maxEnvironmentBytes = 256 * 1024;

const proxy = `http://127.0.0.1:${proxyPort}`;
const noProxy = "localhost,127.0.0.1,::1";

/** By which programs find the policy proxy, in both spellings that there are. */
export const proxyEnvironment: Readonly<Record<string, string>> = {
  HTTP_PROXY: proxy,
  HTTPS_PROXY: proxy,
  NO_PROXY: noProxy,
  http_proxy: proxy,
  https_proxy: proxy,
  no_proxy: noProxy,
  // Node's fetch takes no notice of the others without it.
  NODE_USE_ENV_PROXY: "1",
};

export function checkedCommand(command: string): string {
  if (command.includes("\0")) throw invalid("A command cannot contain a NUL byte.");
  if (Buffer.byteLength(command.replaceAll("'", String.raw`'\''`)) <= maxOneBytes) return command;
  throw invalid(
    `A command can have at most ${maxOneBytes} bytes, where a single quote counts as four; write a script to a file and run that.`,
  );
}

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
