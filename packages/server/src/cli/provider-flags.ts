import type { ModelProviderInput } from "@berth/client";
import type { Command } from "commander";
import { readVariable } from "../config/variable.ts";
import type { CommandContext } from "./context.ts";
import { CliError, exit } from "./exit.ts";

export interface ProviderFlags {
  readonly baseUrl?: string;
  readonly kind?: string;
  readonly models?: string;
  readonly keyEnv?: string;
  readonly keyStdin?: boolean;
  readonly dropKey?: boolean;
}

/** What says where a provider is and what it is called with. A key is never written on a command line, where others see it. */
export function withProvider(command: Command): Command {
  return command
    .option("--base-url <url>", "where it is; not needed for well-known names, as openai or anthropic")
    .option("--kind <kind>", "openai-compatible or anthropic")
    .option("--models <names>", "comma-separated; without it those that it lists, or any name")
    .option("--key-env <variable>", "the environment variable that holds its key")
    .option("--key-stdin", "read its key from standard input")
    .option("--drop-key", "use no key");
}

/** The provider that the flags describe. A key that no flag names stays as it is. */
export async function providerOf({ flags, io }: CommandContext<ProviderFlags>): Promise<ModelProviderInput> {
  const { baseUrl, kind, models, keyEnv, keyStdin, dropKey } = flags;
  if ([keyEnv, keyStdin, dropKey].filter((flag) => flag !== undefined).length > 1)
    throw new CliError("Give one of --key-env, --key-stdin and --drop-key.", exit.usage);
  const apiKey =
    dropKey === true ? null : keyStdin === true ? await readKey(io.stdin) : keyFrom(keyEnv, io.env);
  return {
    ...(baseUrl !== undefined && { baseURL: baseUrl }),
    ...(kind !== undefined && { kind: kind as "anthropic" }),
    ...(models !== undefined && { models: models.split(",").map((name) => name.trim()) }),
    ...(apiKey !== undefined && { apiKey }),
  };
}

function keyFrom(
  name: string | undefined,
  env: Readonly<Record<string, string | undefined>> | undefined,
): string | undefined {
  if (name === undefined) return undefined;
  const key = readVariable(name, env);
  if (key === null || key === "") throw new CliError(`The variable ${name} is not set.`, exit.usage);
  return key;
}

async function readKey(stdin: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of stdin.setEncoding("utf8")) text += String(chunk);
  const key = text.trim();
  if (key === "") throw new CliError("There is no key on standard input.", exit.usage);
  return key;
}
