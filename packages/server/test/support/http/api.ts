import type {
  Agent,
  AgentDefinitionInput,
  CreateSessionReply,
  Problem,
  SendReply,
  SessionEvent,
} from "@berth/contract";
import { afterEach } from "vitest";
import { permissions } from "../../../src/auth/permissions.ts";
import { createEmptyDirectory } from "../../../src/allocation/empty-directory.ts";
import { createPasswords } from "../../../src/auth/password.ts";
import { createPreviewGrants } from "../../../src/auth/preview-grants.ts";
import type { Principal } from "../../../src/auth/principal.ts";
import { createVault } from "../../../src/auth/vault.ts";
import { createTickets } from "../../../src/auth/tickets.ts";
import { createApp } from "../../../src/http/app.ts";
import type { HttpContext, HttpSettings } from "../../../src/http/context.ts";
import { createEdge } from "../../../src/http/edge.ts";
import { createStreams, type Streams } from "../../../src/http/streams.ts";
import type { Resolve } from "../../../src/lib/checked-addresses.ts";
import { createDiskExports } from "../../../src/store/disk/export-files.ts";
import { newId } from "../../../src/lib/id.ts";
import { createProviderPlaces, type PlacesOptions } from "../../../src/models/provider-places.ts";
import type { OperationsContext, OperationsSettings } from "../../../src/operations/context.ts";
import { testAudit } from "../security/test-audit.ts";
import { Harness, type HarnessOptions } from "../runtime/harness.ts";
import { text } from "../runtime/scripted-client.ts";
import { type PlainOptions, PlainSandboxes } from "../sandbox/plain-sandboxes.ts";
import { onePrincipal } from "./one-principal.ts";

const key = "brt_test-key";

export interface ApiOptions extends Partial<HarnessOptions> {
  readonly operations?: Partial<OperationsSettings>;
  readonly http?: Partial<HttpSettings>;
  /** Sandboxes with a directory, held in memory. Default: those of the harness, of which no records are kept. */
  readonly plain?: Partial<PlainOptions>;
  /** Default: every name stands for a public address. */
  readonly places?: Partial<PlacesOptions>;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** As who reads it says, checked when they give a schema. */
  json<T = Record<string, unknown>>(schema?: { parse(value: unknown): T }): T;
  problem(): Problem;
}

/** Exports lie in the harness's folder; what makes backups is tested with the whole program. */
function testData(dataDir: string): OperationsContext["data"] {
  const none = async () => {
    throw new Error("no backups in this test");
  };
  return {
    exportFiles: createDiskExports({ dataDir }),
    backups: {
      start: none,
      list: async () => [],
      find: async () => null,
      idle: none,
      prune: none,
      noteErasure: async () => {},
      stop: none,
    },
  };
}

/** The API as callers see it, on a real store with a real worker and a model that is a function. */
export class Api {
  readonly harness: Harness;
  readonly operations: OperationsContext;
  readonly principal: Principal;
  readonly #plain: PlainSandboxes | null;
  readonly #fetch: (request: Request) => Promise<Response>;
  readonly #streams: Streams[] = [];

  private constructor(harness: Harness, options: ApiOptions) {
    this.harness = harness;
    this.principal = {
      type: "user",
      id: "usr_test",
      name: "Tester",
      orgId: harness.orgId,
      permissions: new Set(permissions),
      credential: { kind: "admin_key", id: "test", expiresAt: null },
    };
    const { context, dataDir } = harness;
    const { store, clock, sandboxes } = context;
    this.#plain = options.plain ? new PlainSandboxes({ folder: dataDir, store, ...options.plain }) : null;
    this.operations = {
      ...context,
      sandboxDirectory: createEmptyDirectory(sandboxes),
      ...(this.#plain !== null && {
        sandboxes: this.#plain.sandboxes,
        sandboxDirectory: this.#plain.sandboxDirectory,
      }),
      previews: createPreviewGrants({ key: Buffer.alloc(32, 3), clock }),
      keys: { pepper: Buffer.alloc(32, 1) },
      passwords: createPasswords(),
      loginAttempts: { take: async () => {} },
      stopping: new AbortController().signal,
      vault: createVault({
        store: harness.context.store,
        masterKeys: [{ id: "test", key: Buffer.alloc(32, 2) }],
      }),
      places: createProviderPlaces({ allow: [], resolve: publicAddress, ...options.places }),
      audit: testAudit(harness),
      data: testData(harness.dataDir),
      settings: { ...operationsSettings, ...options.operations },
    };
    this.#fetch = this.appFor(this.principal, options.http);
  }

  static async open(options: ApiOptions = {}): Promise<Api> {
    const harness = await Harness.open({ answer: () => text("Hello."), ...options });
    return new Api(harness, options);
  }

  /** The sandboxes that `plain` asked for. */
  get plain(): PlainSandboxes {
    if (this.#plain === null) throw new Error("open the API with plain");
    return this.#plain;
  }

  /** The same server for somebody else. */
  appFor(
    principal: Principal,
    settings: Partial<HttpSettings> = {},
  ): (request: Request) => Promise<Response> {
    const { operations } = this;
    const authenticator = onePrincipal(key, principal);
    const tickets = createTickets({ clock: operations.clock });
    const streams = createStreams({ operations, authenticator, tickets, jsonDepth: httpSettings.jsonDepth });
    this.#streams.push(streams);
    const context: HttpContext = {
      operations,
      authenticator,
      tickets,
      login: null,
      streams: streams.events,
      telemetry: this.operations.telemetry,
      edge: createEdge(),
      settings: { ...httpSettings, ...settings },
      readiness: async () => ({ ready: true, checks: { store: "ok" } }),
    };
    return createApp(context).fetch;
  }

  /** Sends a request as it is; with a key unless the headers have one, and JSON for a body that is no text or bytes. */
  async send(method: string, path: string, options: SendOptions = {}): Promise<Reply> {
    const { body, headers = {}, fetch = this.#fetch } = options;
    const raw = body === undefined || typeof body === "string" || body instanceof Uint8Array;
    const request = new Request(`http://berth.test${path}`, {
      method,
      headers: {
        ...(options.anonymous ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && {
        body: raw ? (body as string | Uint8Array<ArrayBuffer>) : JSON.stringify(body),
      }),
    });
    const response = await fetch(request);
    const content = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text: content,
      json: <T>(schema?: { parse(value: unknown): T }) => {
        const value: unknown = JSON.parse(content);
        return schema === undefined ? (value as T) : schema.parse(value);
      },
      problem: () => JSON.parse(content) as Problem,
    };
  }

  get = (path: string, options?: SendOptions) => this.send("GET", `/api/v1${path}`, options);
  post = (path: string, body?: unknown, options?: SendOptions) =>
    this.send("POST", `/api/v1${path}`, { ...options, ...(body !== undefined && { body }) });
  put = (path: string, body: unknown, options?: SendOptions) =>
    this.send("PUT", `/api/v1${path}`, { ...options, body });
  patch = (path: string, body: unknown, options?: SendOptions) =>
    this.send("PATCH", `/api/v1${path}`, { ...options, body });
  delete = (path: string, options?: SendOptions) => this.send("DELETE", `/api/v1${path}`, options);

  async agent(definition: Partial<AgentDefinitionInput> = {}): Promise<Agent> {
    const body = { name: "tester", model: "test/model", permissions: { mode: "auto" }, ...definition };
    return (await this.post("/agents", body)).json<Agent>();
  }

  async session(body: Record<string, unknown> = {}): Promise<CreateSessionReply> {
    return (await this.post("/sessions", { agent: "tester", ...body })).json<CreateSessionReply>();
  }

  async say(sessionId: string, content: string, more: Record<string, unknown> = {}): Promise<SendReply> {
    const events = [{ type: "user.message", content, ...more }];
    return (await this.post(`/sessions/${sessionId}/events`, { events })).json<SendReply>();
  }

  /** The log as soon as it holds such an event. */
  until<T extends SessionEvent["type"]>(sessionId: string, type: T): Promise<SessionEvent<T>> {
    return this.harness
      .until(sessionId, (events) => events.some((event) => event.type === type))
      .then((events) => events.findLast((event) => event.type === type) as SessionEvent<T>);
  }

  async close(): Promise<void> {
    for (const streams of this.#streams) await streams.closeAll();
    await this.operations.audit.refusals.stop();
    await this.#plain?.sandboxes.close();
    await this.harness.close();
  }
}

export interface SendOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly anonymous?: boolean;
  readonly fetch?: (request: Request) => Promise<Response>;
}

/** Starts the API for a test and ends it after it. */
export function useApi(): (options?: ApiOptions) => Promise<Api> {
  let open: Api | null = null;
  afterEach(async () => {
    await open?.close();
    open = null;
  });
  return async (options) => {
    open = await Api.open(options);
    return open;
  };
}

/** Nobody is ever called there. */
const publicAddress: Resolve = async () => [{ address: "93.184.215.14", family: 4 }];

/** Somebody else's organization, in the same store. */
export function stranger(): Principal {
  return {
    type: "user",
    id: "usr_other",
    name: "Other",
    orgId: newId("org"),
    permissions: new Set(permissions),
    credential: { kind: "admin_key", id: "test", expiresAt: null },
  };
}

const operationsSettings: OperationsSettings = {
  mailboxLimit: 1_000,
  syncWaitMs: 5_000,
  rereadMs: 250,
  workerAnswerMs: 1_000,
  inlineBytes: 65_536,
  toolResultBytes: 1_048_576,
  userModelProviders: true,
  previewDomain: "localhost",
  sandboxMost: { memory: 4_096, cpus: 4, disk: 20_480 },
  system: {
    version: "0.0.0-test",
    mode: "single",
    coordination: "in-process",
    startedAt: Date.UTC(2030, 0, 1),
    defaultModel: null,
    config: [{ name: "port", value: "7420", source: "default" }],
  },
};

const httpSettings: HttpSettings = {
  bodyBytes: 1_048_576,
  uploadBytes: 4_194_304,
  jsonDepth: 64,
  openMetrics: false,
};
