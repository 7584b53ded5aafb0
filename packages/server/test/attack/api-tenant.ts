import { newId } from "../../src/lib/id.ts";
import { type ApiReply, codeOf, type Door, send } from "../support/server/api.ts";
import type { Ran, RemoteFiles, Tenant, TenantWish } from "./target.ts";

const readBytes = 4 * 1024 * 1024;

/** What a good reply says; rejects with the number and the words of any other. */
export function asked(reply: ApiReply): unknown {
  if (reply.status >= 200 && reply.status < 300) return reply.json;
  throw new Error(`${reply.status} ${codeOf(reply)}: ${Buffer.from(reply.bytes).toString().slice(0, 300)}`);
}

/** A session of a new agent that wants this, with its sandbox. */
export async function makeTenant(
  door: Door,
  { org, wish: { memory, disk } }: { readonly org: string; readonly wish: TenantWish },
): Promise<Tenant> {
  const call = async (method: "GET" | "POST" | "DELETE", path: string, body?: unknown): Promise<unknown> =>
    asked(await send(door, { method, path, body }));
  const name = `attacker-${newId("agent").slice(-12)}`;
  const sandbox = { ...(memory !== undefined && { memory }), ...(disk !== undefined && { disk }) };
  await call("POST", "/agents", { name, model: "demo/tour", sandbox });
  const session = (await call("POST", "/sessions", { agent: name })) as { id: string };
  const given = async () =>
    ((await call("POST", "/sandboxes", { sessionId: session.id })) as { id: string }).id;
  let sandboxId = await given();
  let ending: Promise<unknown> | null = null;
  return {
    org,
    async run(text, { stdin, timeoutMs = 30_000 } = {}): Promise<Ran> {
      const body = { command: text, timeoutMs, ...(stdin !== undefined && { stdin }) };
      const path = () => `/sandboxes/${sandboxId}/exec`;
      const first = await send(door, { method: "POST", path: path(), body });
      if (!["sandbox_not_found", "sandbox_lost", "sandbox_gone"].includes(codeOf(first)))
        return asked(first) as Ran;
      sandboxId = await given();
      return (await call("POST", path(), body)) as Ran;
    },
    files: apiFiles(door, session.id),
    async end() {
      await (ending ??= call("DELETE", `/sessions/${session.id}`));
    },
  };
}

function apiFiles(door: Door, sessionId: string): RemoteFiles {
  const base = `/sessions/${sessionId}`;
  const at = (path: string) => `${base}/files/${path.split("/").map(encodeURIComponent).join("/")}`;
  const query = (values: Readonly<Record<string, string>>) => new URLSearchParams(values).toString();
  const get = async (path: string) => await send(door, { method: "GET", path });
  const paths = (json: unknown) => (json as { items: { path: string }[] }).items.map((item) => item.path);
  const bytes = (text: string) => new Uint8Array(Buffer.from(text));
  return {
    read: (path) => readSome(door, at(path)),
    write: async (path, text) => {
      asked(await send(door, { method: "PUT", path: at(path), bytes: bytes(text) }));
    },
    list: async (path) => paths(asked(await get(`${base}/files?${query({ path })}`))),
    move: async (path, to) => {
      asked(await send(door, { method: "POST", path: `${base}/files/move`, body: { path, to } }));
    },
    remove: async (path) => {
      asked(await send(door, { method: "DELETE", path: at(path) }));
    },
    glob: async (pattern, path) =>
      (asked(await get(`${base}/search/files?${query({ pattern, path })}`)) as { items: string[] }).items,
    grep: async (pattern, path) =>
      (
        asked(await get(`${base}/search/text?${query({ pattern, path })}`)) as { items: { text: string }[] }
      ).items.map(({ text }) => text),
    extract: async (archive) =>
      asked(await send(door, { method: "PUT", path: `${base}/workspace/archive`, bytes: archive })),
  };
}

/** The first 4 MiB of a file: who downloads more takes more. */
async function readSome({ url, apiKey }: Door, path: string): Promise<string> {
  const enough = new AbortController();
  const headers = { authorization: `Bearer ${apiKey}` };
  const response = await fetch(`${url}/api/v1${path}`, { headers, signal: enough.signal });
  if (!response.ok) throw new Error(`${response.status}: ${(await response.text()).slice(0, 300)}`);
  const pieces: Uint8Array[] = [];
  let taken = 0;
  for await (const piece of response.body ?? []) {
    pieces.push(piece);
    taken += piece.length;
    if (taken >= readBytes) break;
  }
  enough.abort();
  return Buffer.concat(pieces).toString();
}
