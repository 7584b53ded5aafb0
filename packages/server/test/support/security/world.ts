import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { openServerKeys } from "../../../src/auth/server-keys.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { type Program, startProgram } from "../../../src/roles/program.ts";
import { openSqliteStore, type SqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";
import { builtinTools } from "../../../src/tools/builtin/builtin-tools.ts";
import { createRegistry } from "../../../src/tools/registry.ts";
import { type Answer, calls, scriptedClient, text, turnOf } from "../runtime/scripted-client.ts";
import { testTool } from "../runtime/test-tools.ts";
import { localAllocation } from "../sandbox/local-allocation.ts";
import { type Ask, call, type Seen } from "./call.ts";
import { Canaries } from "./canaries.ts";
import { makeTenant, operatorsTenant, type Tenant, type TenantParts } from "./tenant.ts";
import { furnish, type Things } from "./things.ts";

/** A tenant with what belongs to it. */
export type Home = Tenant & { readonly things: Things };

/** A server of mode multi with two organizations whose names overlap, and somebody of a third one. */
export interface World {
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  readonly program: Program;
  readonly store: SqliteStore;
  readonly canaries: Canaries;
  readonly parts: TenantParts;
  readonly adminKey: string;
  readonly a: Home;
  readonly b: Home;
  /** The server's own organization, where the operator is whoever is asked for. */
  readonly home: Home;
  /** Of whose organization nobody else in the tests is. */
  readonly outsider: Tenant;
  /** Everything that the server has logged. */
  readonly logs: () => string;
  /** What the model says from now on. */
  readonly answer: (model: Answer) => void;
  readonly call: (key: string | null, ask: Ask) => Promise<Seen>;
}

export interface WorldOptions {
  /** More settings, as environment variables. */
  readonly env?: Readonly<Record<string, string>>;
}

/** `call NAME {json}` calls a tool, and then says that it did; anything else is greeted. */
export const obedient: Answer = (request) => {
  const said = request.request.messages.findLast((message) => message.role === "user");
  const words = said?.content.map((part) => (part.type === "text" ? part.text : "")).join("") ?? "";
  const asked = /^call (\w+) (\{.*\})$/s.exec(words);
  if (asked === null || turnOf(request) > 0) return text("Hello.");
  return calls([asked[1] ?? "", JSON.parse(asked[2] ?? "{}")]);
};

/** One world for the tests of a file. */
export function useTwoOrgs(options: WorldOptions = {}): () => World {
  let world: World | null = null;
  let dataDir = "";
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "berth-two-orgs-"));
    world = await openWorld(dataDir, options);
  }, 60_000);
  afterAll(async () => {
    await world?.program.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  return () => {
    if (world === null) throw new Error("the server has not started");
    return world;
  };
}

async function openWorld(dataDir: string, { env = {} }: WorldOptions): Promise<World> {
  const canaries = new Canaries();
  const lines: string[] = [];
  let model = obedient;
  const secrets = {
    BERTH_ADMIN_KEY: canaries.make("admin-key"),
    BERTH_MASTER_KEY: canaries.make("master-key"),
    BERTH_KEY_PEPPER: canaries.make("pepper"),
    BERTH_AUDIT_KEY: canaries.make("audit-key"),
    BERTH_BACKUP_KEY: canaries.make("backup-key"),
    OPENAI_API_KEY: canaries.make("openai-key"),
  };
  const quiet = { BERTH_OLLAMA_DISCOVERY: "false", BERTH_DRAIN_TIMEOUT: "0", BERTH_LOG_FORMAT: "json" };
  const settings = { BERTH_MODE: "multi", BERTH_LOG_LEVEL: "debug", BERTH_DEFAULT_MODEL: "test/model" };
  const loaded = loadConfig({
    flags: { port: "0", data: dataDir },
    env: { ...quiet, ...settings, ...secrets, ...env },
    cwd: dataDir,
  });
  const store = await openSqliteStore({ dataDir, clock: systemClock });
  const allocation = localAllocation({ dataDir, store });
  const program = await startProgram(loaded, {
    store,
    models: scriptedClient((...asked) => model(...asked)),
    tools: createRegistry([...builtinTools, ...testTools, leakTool(Object.values(secrets))]),
    // The tests' own isolation: tools here do what the tests say.
    sandboxes: allocation.sandboxes,
    sandboxDirectory: allocation.directory,
    logs: { write: (line) => lines.push(line) },
  });
  const { pepper } = await openServerKeys({ dataDir, preset: loaded.config, required: true });
  const home = await store.system.singleTenant();
  const parts: TenantParts = { store, pepper, canaries, home: home.orgId };
  const ask = (key: string | null, request: Ask) => call(program.url, key, request);
  const tenants = await Promise.all(["alpha", "beta", "gamma"].map((slug) => makeTenant(parts, slug)));
  const [a, b, outsider] = tenants as [Tenant, Tenant, Tenant];
  const own = operatorsTenant({ ...home, key: secrets.BERTH_ADMIN_KEY });
  const [aThings, bThings] = [await furnish(ask, a), await furnish(ask, b)];
  canaries.keep("link of alpha", aThings.linkToken);
  canaries.keep("link of beta", bThings.linkToken);
  return {
    url: program.url,
    port: Number(new URL(program.url).port),
    dataDir,
    program,
    store,
    canaries,
    parts,
    adminKey: secrets.BERTH_ADMIN_KEY,
    a: { ...a, things: aThings },
    b: { ...b, things: bThings },
    home: { ...own, things: await furnish(ask, own) },
    outsider,
    logs: () => lines.join(""),
    answer: (answer) => void (model = answer),
    call: ask,
  };
}

/** Tells every secret of the server, as a tool that reads its environment would; or fails with it. */
function leakTool(all: readonly string[]) {
  return testTool("leak", ({ how }) => {
    const secrets = all.join("\n");
    if (how === "throw") throw new Error(`cannot go on with ${secrets}`);
    if (how === "fail") {
      return { ok: false, errorType: "runtime", message: secrets, content: secrets, suggestions: [secrets] };
    }
    return { ok: true, content: secrets };
  });
}

/** `echo` says what it is told, and `act` is a tool that agents ask approval for. */
const testTools = [
  testTool("echo", ({ say }) => ({ ok: true, content: String(say) })),
  testTool("act", ({ say }) => ({ ok: true, content: `acted: ${String(say)}` }), { effect: "once" }),
];
