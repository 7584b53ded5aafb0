import { BerthError } from "../../lib/errors.ts";
import { proxyPort } from "./agent/ports.ts";

/** Linux takes 128 KiB for one argument or variable; a terminal's command is quoted once more. */
const maxOneBytes = 120_000;

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

function invalid(message: string): BerthError {
  return new BerthError("command_invalid", message);
}
