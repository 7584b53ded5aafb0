import type { UpdateOrgBody } from "@berth/client";
import { CliError, exit } from "../exit.ts";

/** Settings as `name=value` texts, whose values are JSON or else text; null when there are none. The server says what it takes. */
export function settingsOf(given: readonly string[]): NonNullable<UpdateOrgBody["settings"]> | null {
  if (given.length === 0) return null;
  const entries = given.map((text) => {
    const at = text.indexOf("=");
    if (at < 1) throw new CliError(`--set takes name=value, and ${text} is none.`, exit.usage);
    return [text.slice(0, at), valueOf(text.slice(at + 1))] as const;
  });
  return Object.fromEntries(entries);
}

function valueOf(text: string): unknown {
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
