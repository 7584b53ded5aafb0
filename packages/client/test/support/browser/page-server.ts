// One origin for the browser: a page, the packages' sources as a browser can load them, and Berth behind /api.
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { stripTypeScriptTypes } from "node:module";
import type { AddressInfo } from "node:net";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type Cut, createApiProxy } from "./api-proxy.ts";

export interface PageServer extends AsyncDisposable {
  readonly url: string;
  /** Paths of the modules that the browser has asked for. */
  readonly modules: readonly string[];
  /** Addresses of the event streams and WebSockets that it has asked for. */
  readonly streams: readonly string[];
  /** What happens to the next connections, one each; when the list is empty they are left alone. */
  readonly cuts: Cut[];
}

const root = join(import.meta.dirname, "../../../../..");
const bare = ["@berth/client", "@berth/contract", "zod", "eventsource-parser"];

/** Serves until it is disposed of; `berth` is the server's address. */
export async function startPageServer(berth: string): Promise<PageServer> {
  const modules: string[] = [];
  const proxy = createApiProxy(berth);
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://page");
    if (pathname.startsWith("/api/")) return proxy.request(request, response);
    if (pathname !== "/") modules.push(pathname);
    const served = pathname === "/" ? send(response, "text/html", page()) : sendModule(response, pathname);
    served.catch(() => response.writeHead(404).end());
  });
  server.on("upgrade", (request: IncomingMessage, socket, head) => proxy.upgrade(request, { socket, head }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    modules,
    streams: proxy.streams,
    cuts: proxy.cuts,
    async [Symbol.asyncDispose]() {
      proxy.end();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function page(): string {
  const imports = Object.fromEntries(bare.map((name) => [name, addressOf(import.meta.resolve(name))]));
  const program = addressOf(new URL("page-program.ts", import.meta.url).href);
  return `<!doctype html><title>Berth</title><link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module" src="${program}"></script>`;
}

function addressOf(url: string): string {
  return `/${relative(root, fileURLToPath(url))}`;
}

async function sendModule(response: ServerResponse, pathname: string): Promise<void> {
  // URL parsing has taken out every "..".
  const source = await readFile(join(root, pathname), "utf8");
  const script = pathname.endsWith(".ts") ? stripTypeScriptTypes(source) : source;
  await send(response, "text/javascript", script);
}

async function send(response: ServerResponse, type: string, body: string): Promise<void> {
  response.writeHead(200, { "content-type": `${type}; charset=utf-8` }).end(body);
}
