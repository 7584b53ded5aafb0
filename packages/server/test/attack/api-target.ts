import { request } from "node:http";
import { sandboxSystem } from "@berth/contract";
import type { Capabilities } from "../../src/sandbox/sandbox.ts";
import { type Door, send } from "../support/server/api.ts";
import { asked, makeTenant } from "./api-tenant.ts";
import { openAttackedServer, type ServerOptions } from "./attacked-server.ts";
import type { Target } from "./target.ts";

export interface ApiTargetOptions extends ServerOptions {
  readonly name: string;
}

/** A real server, attacked over its public API by two organizations, or by two sessions in mode single. */
export async function openApiTarget(options: ApiTargetOptions): Promise<Target> {
  const server = await openAttackedServer(options);
  const [first] = server.doors;
  try {
    const { sandbox } = asked(await send(server.admin, { method: "GET", path: "/system" })) as {
      sandbox: unknown;
    };
    return {
      name: options.name,
      caps: capabilitiesOf(sandboxSystem.parse(sandbox)),
      tenant: (wish = {}) =>
        makeTenant(server.doors[wish.org ?? 0], { org: server.slugs[wish.org ?? 0], wish }),
      serverBytes: () => server.bytes(),
      secrets: server.secrets,
      outside: server.folder,
      request: (path, body) => ask(first, path, body),
      another: ({ settings, ...change }) =>
        openApiTarget({ ...options, ...change, settings: { ...options.settings, ...settings } }),
      close: () => server.close(),
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}

function capabilitiesOf(system: ReturnType<typeof sandboxSystem.parse>): Capabilities {
  const { capabilities, isolation, label, reasons, unavailable } = system;
  return {
    ...capabilities,
    isolation,
    label,
    reasons,
    ...(unavailable !== null && { unavailable }),
  } as Capabilities;
}

/** With the path as it is: `fetch` would make `..` of `%2e%2e` and go up. */
function ask(
  { url, apiKey }: Door,
  path: string,
  body: unknown,
): Promise<{ readonly status: number; readonly text: string }> {
  const { port } = new URL(url);
  const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
  const method = body === undefined ? "GET" : "POST";
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, method, path: `/api/v1${path}`, headers, agent: false });
    sent.on("error", reject);
    sent.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
