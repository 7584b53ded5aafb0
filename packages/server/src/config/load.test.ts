import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ConfigFolder, createConfigFolder } from "../../test/support/config-folder.ts";

let folder: ConfigFolder;
beforeEach(() => {
  folder = createConfigFolder();
});
afterEach(() => folder.remove());

describe("loadConfig", () => {
  it("has a value for everything when nothing is said", () => {
    const { config, file, settings } = folder.load();
    expect(config).toMatchObject({
      host: "127.0.0.1",
      port: 7420,
      data: join(folder.path, "berth-data"),
      mode: "single",
      logLevel: "info",
      logFormat: "auto",
      adminKey: null,
      lease: 6_000,
      workerConcurrency: 64,
      activationMaxSessions: 100,
      activationMemoryLimit: 512 * 2 ** 20,
      activationCheckInterval: 30_000,
      activationIdleTtl: 3_600_000,
      mailboxPoll: 500,
      sweepInterval: 5_000,
      snapshotEvery: 200,
      bodyLimit: 2 ** 20,
      uploadLimit: 32 * 2 ** 20,
      defaultModel: null,
      providers: [],
      openaiApiKey: null,
      openaiBaseUrl: null,
      ollamaHost: "http://127.0.0.1:11434",
      clientToolTimeout: 86_400_000,
      drainTimeout: 20_000,
      sseHeartbeat: 10_000,
      followerBuffer: 2 ** 20,
      maxStreams: 1_000,
      fetchAllow: [],
      sandboxEnv: ["PATH", "LANG", "LC_ALL", "TZ", "TERM"],
      failpoint: null,
    });
    expect(file).toBeNull();
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.sandboxEnv)).toBe(true);
    expect(settings.every(({ source }) => source === "default")).toBe(true);
    expect(settings.find(({ name }) => name === "failpoint")).toBeUndefined();
  });

  it("takes the flag before the variable, that before the file, that before the default", () => {
    folder.write({ port: 1, host: "from-file", logLevel: "debug", lease: "9s" });
    const { config, settings, file } = folder.load({
      flags: { port: "3", json: true, host: undefined },
      env: { BERTH_PORT: "2", BERTH_HOST: "from-env", HOME: "/home/me" },
    });
    expect(config).toMatchObject({
      port: 3,
      host: "from-env",
      logLevel: "debug",
      lease: 9_000,
      bodyLimit: 2 ** 20,
    });
    expect(file).toBe(join(folder.path, "berth-data/berth.config.json"));
    const shown = Object.fromEntries(
      settings.map(({ name, value, source }) => [name, `${value} (${source})`]),
    );
    expect(shown).toMatchObject({
      port: "3 (flag)",
      host: "from-env (env)",
      logLevel: "debug (file)",
      lease: "9s (file)",
      bodyLimit: "1MiB (default)",
      defaultModel: "not set (default)",
      fetchAllow: "not set (default)",
    });
  });

  it("reads every type from text and from the file", () => {
    const values = {
      port: 8080,
      lease: "3s",
      bodyLimit: "2MiB",
      followerBuffer: 32_768,
      ollamaDiscovery: false,
      logFormat: "json",
      fetchAllow: ["10.0.0.0/8", "wiki.internal"],
      openaiBaseUrl: "http://127.0.0.1:9/v1/",
    };
    folder.write(values);
    const fromFile = folder.load().config;
    const env = {
      BERTH_PORT: "8080",
      BERTH_LEASE: "3s",
      BERTH_BODY_LIMIT: "2MiB",
      BERTH_FOLLOWER_BUFFER: "32768",
      BERTH_OLLAMA_DISCOVERY: "false",
      BERTH_LOG_FORMAT: "json",
      BERTH_FETCH_ALLOW: "10.0.0.0/8, wiki.internal",
      OPENAI_BASE_URL: "http://127.0.0.1:9/v1/",
      BERTH_DATA: "elsewhere",
    };
    const fromEnv = folder.load({ env }).config;
    expect(fromEnv.data).toBe(join(folder.path, "elsewhere"));
    expect({ ...fromEnv, data: null }).toEqual({ ...fromFile, data: null });
    expect(fromEnv).toMatchObject({
      lease: 3_000,
      bodyLimit: 2 ** 21,
      openaiBaseUrl: "http://127.0.0.1:9/v1",
    });
  });

  it("takes an empty variable for none", () => {
    expect(folder.load({ env: { BERTH_PORT: "", OPENAI_API_KEY: "" } }).config).toMatchObject({
      port: 7420,
      openaiApiKey: null,
    });
  });

  it.each([
    ["0.0.0.0", "http://127.0.0.1:11434"],
    ["10.0.0.5", "http://10.0.0.5:11434"],
    ["10.0.0.5:8000", "http://10.0.0.5:8000"],
    [":8000", "http://127.0.0.1:8000"],
    ["https://ollama.example.org/", "https://ollama.example.org"],
    ["http://ollama.example.org", "http://ollama.example.org"],
    ["[::1]", "http://[::1]:11434"],
  ])("reads OLLAMA_HOST=%s as Ollama does", (text, url) => {
    expect(folder.load({ env: { OLLAMA_HOST: text } }).config.ollamaHost).toBe(url);
  });

  it("hands on only those variables that the sandbox may see", () => {
    const env = {
      PATH: "/bin",
      TZ: "UTC",
      HOME: "/root",
      OPENAI_API_KEY: "sk-1",
      BERTH_SANDBOX_ENV: "PATH,TZ,MISSING",
    };
    expect(folder.load({ env }).sandboxVariables).toEqual({ PATH: "/bin", TZ: "UTC" });
  });
});

describe("what is wrong", () => {
  it("is told all at once, each where it stands", () => {
    const file = folder.write({ lease: 6, snapshotEvery: "deep" });
    const options = {
      flags: { port: "99999", logLevel: "loud" },
      env: { BERTH_BODY_LIMIT: "1TB", BERTH_PROT: "1", BERTH_XYZZY_QUUX: "1" },
    };
    expect(folder.problems(options)).toEqual([
      "--port must be from 0 to 65535, not 99999",
      'BERTH_BODY_LIMIT "1TB" is no size: write it as 64KiB, 512MiB or a number of bytes',
      '--log-level must be one of debug, info, warn, error, silent, not "loud"',
      `lease in ${file} must be a duration with its unit, such as 30s`,
      `snapshotEvery in ${file} must be an integer from 1 to 100000`,
      "BERTH_PROT is no setting; did you mean BERTH_PORT?",
      "BERTH_XYZZY_QUUX is no setting",
    ]);
  });

  it("stands in the error's message, a line for each", () => {
    expect(() => folder.load({ env: { BERTH_PORT: "x", BERTH_LEASE: "1s1" } })).toThrow(
      /^the configuration is not valid:\n {2}BERTH_PORT must .*\n {2}BERTH_LEASE .*$/,
    );
  });

  it.each<[Record<string, string>, string]>([
    [{ BERTH_LEASE: "100ms" }, "BERTH_LEASE must be from 1s to 5m, not 100ms"],
    [{ BERTH_LEASE: "6000" }, 'BERTH_LEASE "6000" is no duration: write it as 250ms, 30s, 1h30m or 7d'],
    [{ BERTH_PORT: "7420.5" }, "BERTH_PORT must be an integer from 0 to 65535"],
    [{ BERTH_OLLAMA_DISCOVERY: "maybe" }, "BERTH_OLLAMA_DISCOVERY must be true or false"],
    [{ BERTH_HOST: "a b" }, 'BERTH_HOST must be host name or address, not "a b"'],
    [{ BERTH_DEFAULT_MODEL: "gpt" }, 'BERTH_DEFAULT_MODEL must be model as provider/model, not "gpt"'],
    [{ OPENAI_BASE_URL: "ftp://x" }, "OPENAI_BASE_URL must be an http(s) address"],
    [{ BERTH_SANDBOX_ENV: "PATH,A B" }, 'BERTH_SANDBOX_ENV must be a list of variable names; "A B" is none'],
    [{ BERTH_MODE: "many" }, 'BERTH_MODE must be one of single, multi, not "many"'],
    [{ BERTH_PROVIDERS: "{" }, "BERTH_PROVIDERS must be JSON"],
  ])("is told: %j", (env, problem) => {
    expect(folder.problems({ env })).toEqual([problem]);
  });

  it("keeps secrets from commands of agents even when the list names them", () => {
    const env = {
      PATH: "/bin",
      ACME_KEY: "k-1",
      BERTH_PROVIDERS: '[{"name": "acme", "kind": "anthropic", "apiKeyEnv": "ACME_KEY"}]',
      BERTH_SANDBOX_ENV: "PATH,OPENAI_API_KEY,BERTH_DATA,ACME_KEY",
    };
    expect(folder.problems({ env })).toEqual([
      "sandboxEnv names OPENAI_API_KEY, which commands of agents must not see: take it out",
      "sandboxEnv names BERTH_DATA, which commands of agents must not see: take it out",
      "sandboxEnv names ACME_KEY, which commands of agents must not see: take it out",
    ]);
  });

  it("knows the failpoints", () => {
    expect(folder.load({ env: { BERTH_FAILPOINT: "runtime.claimed@3" } }).config.failpoint).toBe(
      "runtime.claimed@3",
    );
    expect(folder.problems({ env: { BERTH_FAILPOINT: "runtime.claim" } })).toHaveLength(1);
    expect(folder.problems({ env: { BERTH_FAILPOINT: "runtime.claimed@0" } })).toHaveLength(1);
  });
});
