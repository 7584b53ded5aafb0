import { type Agent, type IncomingMessage, request as httpRequest } from "node:http";
import type { BerthServer } from "./berth-server.ts";

/** Requests to a Berth with its admin key. Every one rejects when its reply is no success. */
export interface Api {
  get<T>(path: string): Promise<T>;
  post(path: string, body: string): Promise<string>;
  /** An event stream that is open; it keeps a connection for itself. */
  stream(path: string): Promise<IncomingMessage>;
}

export function apiOf({ url, adminKey }: Pick<BerthServer, "url" | "adminKey">, agent: Agent): Api {
  const authorization = `Bearer ${adminKey}`;
  const ask = (method: string, path: string, body: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const length = Buffer.byteLength(body);
      const told = { authorization, "content-type": "application/json", "content-length": length };
      const headers = method === "GET" ? { authorization } : told;
      const asking = httpRequest(url + path, { agent, method, headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          if ((answer.statusCode ?? 0) < 300) resolve(text);
          else reject(new Error(`${method} ${path} answered ${answer.statusCode}: ${text}`));
        });
      });
      asking.on("error", (error: NodeJS.ErrnoException) => {
        // The server has closed a connection that was idle for too long: what was sent on it was never read.
        if (asking.reusedSocket && error.code === "ECONNRESET") ask(method, path, body).then(resolve, reject);
        else reject(error);
      });
      asking.end(method === "GET" ? undefined : body);
    });
  return {
    get: async <T>(path: string) => JSON.parse(await ask("GET", path, "")) as T,
    post: (path, body) => ask("POST", path, body),
    stream: (path) =>
      new Promise((resolve, reject) => {
        const asking = httpRequest(url + path, { agent: false, headers: { authorization } }, (answer) => {
          if (answer.statusCode === 200) resolve(answer);
          else reject(new Error(`GET ${path} answered ${answer.statusCode}`));
        });
        asking.on("error", reject).end();
      }),
  };
}
