import { type BerthServer, startBerth } from "../berth-server.ts";

interface Given {
  readonly session: string;
  readonly sandbox: string;
  /** From asking to having it. Milliseconds. */
  readonly ms: number;
}

/** A server that is asked for sandboxes as clients ask. */
export interface Claims {
  session(): Promise<string>;
  /** Null when there is no room for another one. */
  claim(session: string): Promise<Given | null>;
  run(sandbox: string, command: string): Promise<void>;
  take(sandbox: string): Promise<void>;
  /** Those that are alive. */
  live(): Promise<string[]>;
  /** Resolves when a warm one is ready. */
  warm(): Promise<void>;
  stop(): Promise<void>;
}

interface ClaimsOptions {
  /** How many are kept ready. */
  readonly warm: number;
  readonly most: number;
  /** Of each sandbox, as the setting `sandboxMemory` takes it. */
  readonly memory?: string;
}

export async function openClaims(data: string, { warm, most, memory }: ClaimsOptions): Promise<Claims> {
  const config = {
    sandbox: "bubblewrap",
    sandboxWarm: warm,
    sandboxesPerUser: 100,
    sandboxesPerOrg: 200,
    sandboxesPerHost: most,
    sandboxWait: "0s",
    logLevel: "warn",
    ...(memory !== undefined && { sandboxMemory: memory }),
  };
  const server = await startBerth({ data, config });
  const ask = asker(server);
  await ask("POST", "/agents", { name: "bench", model: "demo/tour", tools: ["bash_*"] });
  // A user's own setting is 5 where nobody has set another.
  await ask("POST", "/user-config", { sandboxPoolQuota: 100 });
  return {
    session: async () => ((await ask("POST", "/sessions", { agent: "bench" })) as { id: string }).id,
    async claim(session) {
      const began = performance.now();
      const given = await ask("POST", "/sandboxes", { sessionId: session }, [429, 503]);
      const ms = performance.now() - began;
      return given === null ? null : { session, sandbox: (given as { id: string }).id, ms };
    },
    async run(sandbox, command) {
      const { code } = (await ask("POST", `/sandboxes/${sandbox}/exec`, { command })) as { code: number };
      if (code !== 0) throw new Error(`a command in a sandbox ended with ${code}`);
    },
    async live() {
      const { items } = (await ask("GET", "/sandboxes?limit=100")) as { items: { id: string }[] };
      return items.map(({ id }) => id);
    },
    take: async (sandbox) => void (await ask("DELETE", `/sandboxes/${sandbox}`)),
    async warm() {
      for (;;) {
        const { sandbox } = (await ask("GET", "/system")) as { sandbox: { warm: number } };
        if (sandbox.warm >= warm) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    stop: () => server.stop(),
  };
}

function asker({ url, adminKey }: BerthServer) {
  return async (
    method: string,
    path: string,
    body?: unknown,
    none: readonly number[] = [],
  ): Promise<unknown> => {
    const reply = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${adminKey}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await reply.text();
    if (none.includes(reply.status)) return null;
    if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${text.slice(0, 400)}`);
    return text === "" ? null : (JSON.parse(text) as unknown);
  };
}
