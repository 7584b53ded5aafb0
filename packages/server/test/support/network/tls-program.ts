import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { type Program, startProgram } from "../../../src/roles/program.ts";
import { type Authority, type Certificate, createAuthority } from "./certificates.ts";

export const adminKey = "brt_the-admin-key-of-the-tls-tests";

export interface Asked {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly client?: Certificate | null;
  readonly minVersion?: "TLSv1" | "TLSv1.2";
  readonly maxVersion?: "TLSv1.1" | "TLSv1.2";
}

type TlsFile = "cert" | "key" | "ca" | "crl";

export interface TlsProgram {
  readonly program: Program;
  readonly port: number;
  /** Of the server's own certificate. */
  readonly authority: Authority;
  /** Writes one of the files that the server reads at its start and on a reload. */
  readonly write: (file: TlsFile, pem: string) => Promise<void>;
  /** Resolves with the status, or the code of what broke the connection. */
  readonly ask: (asked?: Asked) => Promise<{ readonly status: number | string; readonly body: string }>;
}

/** A whole server that speaks TLS, in this process. It ends after the test. */
export function useTlsProgram(): (
  env?: Readonly<Record<string, string>>,
  files?: Readonly<Partial<Record<"ca" | "crl", string>>>,
) => Promise<TlsProgram> {
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end();
  });
  return async (env = {}, files = {}) => {
    const folder = await mkdtemp(join(tmpdir(), "berth-tls-"));
    ends.push(() => rm(folder, { recursive: true, force: true }));
    const path = (file: TlsFile) => join(folder, `${file}.pem`);
    const write: TlsProgram["write"] = (file, pem) => writeFile(path(file), pem, { mode: 0o600 });
    const authority = await createAuthority("The servers' authority");
    const own = await authority.issue("berth", { names: [{ type: "dns", value: "localhost" }] });
    await Promise.all([write("cert", own.cert), write("key", own.key)]);
    for (const [file, pem] of Object.entries(files)) await write(file as TlsFile, pem);
    const flags = { data: join(folder, "data"), port: "0", logLevel: "silent", drainTimeout: "0" };
    const settings = {
      BERTH_PROVIDERS: JSON.stringify([{ name: "scripted", kind: "scripted" }]),
      BERTH_ADMIN_KEY: adminKey,
      BERTH_OLLAMA_DISCOVERY: "false",
      BERTH_TLS_CERT: path("cert"),
      BERTH_TLS_KEY: path("key"),
      ...(files.ca !== undefined && { BERTH_TLS_CLIENT_CA: path("ca") }),
      ...(files.crl !== undefined && { BERTH_TLS_CLIENT_CRL: path("crl") }),
      ...env,
    };
    const program = await startProgram(loadConfig({ flags, env: settings, cwd: folder }));
    ends.push(() => program.stop());
    const port = Number(new URL(program.url).port);
    const ask: TlsProgram["ask"] = (asked) => send(port, authority.cert, asked);
    return { program, port, authority, write, ask };
  };
}

function send(port: number, ca: string, asked: Asked = {}): ReturnType<TlsProgram["ask"]> {
  const { path = "/api/v1/me", method = "GET", headers = {}, body, client = null } = asked;
  const text = body === undefined ? "" : JSON.stringify(body);
  return new Promise((resolve) => {
    const request = httpsRequest(
      {
        host: "127.0.0.1",
        servername: "localhost",
        port,
        path,
        method,
        ca,
        agent: false,
        // This client would speak what the server does not.
        ciphers: "DEFAULT@SECLEVEL=0",
        headers: { ...(text !== "" && { "content-type": "application/json" }), ...headers },
        ...(client !== null && { cert: client.cert, key: client.key }),
        ...(asked.minVersion !== undefined && { minVersion: asked.minVersion }),
        ...(asked.maxVersion !== undefined && { maxVersion: asked.maxVersion }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
        );
      },
    );
    request.on("error", (error: NodeJS.ErrnoException) =>
      resolve({ status: error.code ?? error.message, body: "" }),
    );
    request.end(text);
  });
}
