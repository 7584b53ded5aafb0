import { hostname } from "node:os";
import { BerthApiError, type CreateApiKeyReply } from "@berth/client";
import type { OpenConnection } from "../connection.ts";
import { dateOf } from "./date-text.ts";

/** Logs in as a browser does, makes a key, and logs out again. Rejects with BerthApiError. */
export async function keyByPassword(
  { url, fetch }: OpenConnection,
  who: {
    readonly email: string;
    readonly password: string;
    readonly org: string | null;
    readonly expiresInMs: number;
  },
): Promise<CreateApiKeyReply> {
  const { email, password, org, expiresInMs } = who;
  const send = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: new URL(url).origin, ...headers },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw refusalOf(response, text);
    return { response, value: (text === "" ? null : JSON.parse(text)) as unknown };
  };
  const started = await send("/login", { email, password, ...(org !== null && { org }) });
  const { csrfToken } = started.value as { csrfToken: string };
  const cookie = started.response.headers
    .getSetCookie()
    .map((line) => line.split(";", 1)[0] ?? "")
    .join("; ");
  const session = { cookie, "x-csrf-token": csrfToken };
  const made = await send("/api-keys", { name: `cli on ${hostname()}`.slice(0, 200), expiresInMs }, session);
  await send("/logout", {}, session);
  return made.value as CreateApiKeyReply;
}

/** What to do with it. */
export function keyText({ id, key, expiresAt }: CreateApiKeyReply, url: string): string {
  return [
    `export BERTH_URL=${url}`,
    `export BERTH_API_KEY=${key}`,
    "",
    `This is ${id}, your key for this machine until ${dateOf(expiresAt)} UTC. It is not shown again.`,
    "",
  ].join("\n");
}

function refusalOf(response: Response, text: string): Error {
  try {
    return new BerthApiError(response.status, JSON.parse(text) as object);
  } catch {
    return new BerthApiError(response.status, {});
  }
}
