import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** A call as it came in. */
export interface SeenCall {
  /** `sandbox/exec`, for example. */
  readonly name: string;
  readonly url: string;
  readonly id: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly token: string;
}

export type FakeAnswer = (call: SeenCall, response: ServerResponse) => unknown;

/** A host that answers as a test says: honestly unless told. It shares no code with the real one. */
export interface FakeHost {
  readonly url: string;
  readonly seen: SeenCall[];
  /** How often a call of this name came. */
  count(name: string): number;
  /** Answers calls of this name so from now on. */
  answer(name: string, answer: FakeAnswer): void;
  close(): Promise<void>;
}

const capabilities = {
  isolation: "namespace",
  label: "fake",
  cgroup: "v2",
  network: "proxy",
  diskQuota: "image",
  seccomp: true,
  pty: true,
  ports: true,
  reasons: [],
};

export const json = (response: ServerResponse, value: unknown, status = 200) => {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
};

/** A sandbox as a host tells of it, with what the call said. */
export const infoOf = ({ id, args }: SeenCall, changes: Readonly<Record<string, unknown>> = {}) => ({
  id,
  incarnation: args["incarnation"] ?? "incarnation-1",
  deployment: args["deployment"] ?? "deployment-a",
  template: args["template"] ?? "test",
  workspaceId: args["workspaceId"] ?? null,
  policy: args["policy"] ?? fakePolicy,
  ageMs: 1,
  ttlLeftMs: 60_000,
  ...changes,
});

const fakePolicy = {
  limits: {
    memoryBytes: 1,
    cpus: 1,
    pids: 1,
    diskBytes: 1,
    inodes: 1,
    tmpBytes: 1,
    shmBytes: 1,
    openFiles: 1,
    fileBytes: 1,
    processes: 1,
  },
  egress: { allow: [] },
};

const honest: Readonly<Record<string, FakeAnswer>> = {
  "host/heartbeat": (_, response) =>
    json(response, {
      result: {
        name: "fake",
        version: "0",
        healthy: true,
        draining: false,
        live: 0,
        freeMemoryBytes: 1e9,
        freeSlots: 10,
      },
    }),
  "host/probe": (_, response) => json(response, { result: capabilities }),
  "host/list": (_, response) => json(response, { result: { items: [], unreadable: 0 } }),
  "host/egress": (_, response) => json(response, { result: { next: null, dropped: 0, items: [] } }),
  "sandbox/connect": (_, response) => json(response, { result: null }),
};
for (const name of ["create", "get", "renew", "apply", "attach"]) {
  Object.assign(honest, {
    [`sandbox/${name}`]: (call: SeenCall, response: ServerResponse) =>
      json(response, { result: infoOf(call) }),
  });
}

/** One frame of a stream: `output` of stream 0, `end` or `error` with JSON, or `alive`. */
export const frame = {
  alive: Buffer.from([0, 0, 0, 1, 4]),
  output(offset: number, text: string, stream = 0): Buffer {
    const data = Buffer.from(text);
    const head = Buffer.alloc(14);
    head.writeUInt32BE(10 + data.length, 0);
    head.writeUInt8(1, 4);
    head.writeUInt8(stream, 5);
    head.writeBigUInt64BE(BigInt(offset), 6);
    return Buffer.concat([head, data]);
  },
  json(kind: "end" | "error", value: unknown): Buffer {
    const data = Buffer.from(JSON.stringify(value));
    const head = Buffer.alloc(5);
    head.writeUInt32BE(1 + data.length, 0);
    head.writeUInt8(kind === "end" ? 2 : 3, 4);
    return Buffer.concat([head, data]);
  },
};

export async function createFakeHost(): Promise<FakeHost> {
  const answers = new Map(Object.entries(honest));
  const seen: SeenCall[] = [];
  const sockets = new Set<Socket>();

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const url = request.url ?? "";
    const parts = url.split("/").slice(2);
    const call: SeenCall = {
      name: parts.length === 2 ? parts.join("/") : `${parts[0]}/${parts[2]}`,
      url,
      id: parts.length === 2 ? "" : (parts[1] ?? ""),
      args: JSON.parse(body.subarray(0, body.indexOf(10)).toString()) as SeenCall["args"],
      token: (request.headers.authorization ?? "").replace("Bearer ", ""),
    };
    seen.push(call);
    response.setHeader("berth-sandbox-protocol", "1");
    const answer = answers.get(call.name);
    if (answer === undefined)
      json(response, { error: { code: "call_not_found", message: "?", retryable: false } }, 404);
    else await answer(call, response);
  }

  const server = createServer((request, response) => {
    response.on("error", () => undefined);
    take(request, response).catch(() => response.destroy());
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    count: (name) => seen.filter((call) => call.name === name).length,
    answer: (name, answer) => void answers.set(name, answer),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
