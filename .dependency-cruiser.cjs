// One table is the architecture: each module and the modules it may import.
// ARCHITECTURE.md shows the same table; the import lint fails on anything else.
// packages/server/test/lint/import-rules.test.ts plants one violation per rule.
const ports = ["store", "coordination", "models", "tools", "memory", "sandbox"];
const withLimits = ["auth", "limits", "store", "coordination", "telemetry", "lib"];
const mayImport = {
  lib: [],
  config: ["lib"],
  telemetry: ["lib"],
  session: ["lib"],
  store: ["session", "telemetry", "lib"],
  coordination: ["telemetry", "lib"],
  models: ["session", "telemetry", "lib"],
  sandbox: ["telemetry", "lib"],
  tools: ["sandbox", "session", "telemetry", "lib"],
  memory: ["models", "store", "session", "telemetry", "lib"],
  auth: ["store", "coordination", "telemetry", "lib"],
  allocation: ["store", "coordination", "sandbox", "telemetry", "lib"],
  limits: ["auth", "store", "coordination", "telemetry", "lib"],
  runtime: [...ports, "session", "auth", "allocation", "limits", "telemetry", "lib"],
  operations: [...ports, "session", "auth", "allocation", "limits", "telemetry", "lib"],
  http: ["operations", "auth", "limits", "telemetry", "lib"],
  protocols: ["http", "operations", "auth", "limits", "telemetry", "lib"],
  jobs: [...withLimits, "operations", "allocation", "memory"],
  gateway: withLimits,
  roles: ["*"],
  cli: ["roles", "config", "telemetry", "lib"],
};
const modules = Object.keys(mayImport).join("|");

// Adapters are chosen in roles/ and nowhere else.
const adapters = [
  "store/(sqlite|postgres)/",
  "coordination/(in-process|redis)/",
  "models/(openai-compatible|anthropic|ai-sdk|scripted)/",
  "sandbox/(local-process|bubblewrap|remote|host)/",
];

// What the adapters of one port have in common.
const shared = "sandbox/(files|output|egress|protocol|workspaces)";

// A driver is known to its own folder only.
const onlyIn = {
  "node_modules/pg/": "store/postgres/",
  "^(node:)?sqlite$": "store/sqlite/",
  "node_modules/ioredis/": "coordination/redis/",
  "node_modules/(hono|@hono)/": "(http|protocols|gateway|sandbox/host)/",
  "node_modules/(ai|@ai-sdk)/": "models/ai-sdk/",
};

const S = "^packages/server/src/";
const anySource = "^packages/[^/]+/src/";
const notProduction = "\\.(test|conformance|bench)\\.ts$";
const rule = (name, from, to) => ({ name, severity: "error", from, to });
/** Production code of the server at this path. */
const production = (path, ...except) => ({ path: `${S}${path}`, pathNot: [notProduction, ...except] });

module.exports = {
  forbidden: [
    rule("no-cycles", {}, { circular: true }),
    rule(
      "resolvable",
      { path: "^(packages|bench|examples|scripts)/" },
      { couldNotResolve: true, pathNot: "^node:(sqlite|test)$" },
    ),
    rule("known-modules-only", {}, { path: `${S}[^/]+/`, pathNot: `${S}(${modules})/` }),
    rule("main-hands-over-to-cli", { path: `${S}main\\.ts$` }, { path: S, pathNot: `${S}cli/` }),
    ...Object.keys(mayImport)
      .filter((module) => !mayImport[module].includes("*"))
      .map((module) =>
        rule(`${module}-imports`, production(`${module}/`), {
          path: S,
          pathNot: `${S}(${[module, ...mayImport[module]].join("|")})/`,
        }),
      ),
    rule("roles-never-import-cli", production("roles/"), { path: `${S}cli/` }),
    rule("only-cli-uses-the-client", production("", `${S}cli/`), { path: "^packages/client/" }),
    rule("subfolders-are-private", production("([^/]+)/", `${S}roles/`), {
      path: `${S}[^/]+/[^/]+/`,
      pathNot: `${S}$1/`,
    }),
    ...adapters.map((adapter) =>
      rule(`adapter-chosen-in-roles: ${adapter}`, production("", `${S}roles/`, `${S}${adapter}`), {
        path: `${S}${adapter}`,
      }),
    ),
    rule("adapters-do-not-know-each-other", production("(store|coordination|models|sandbox)/([^/]+)/"), {
      path: `${S}$1/[^/]+/`,
      pathNot: `${S}($1/$2|${shared})/`,
    }),
    ...Object.entries(onlyIn).map(([driver, folder]) =>
      rule(
        `driver ${driver} only in ${folder}`,
        { path: anySource, pathNot: [notProduction, `${S}${folder}`] },
        { path: driver },
      ),
    ),
    // No IO, no clock, no npm.
    rule("session-is-pure", production("session/"), {
      pathNot: [`${S}(session|lib)/`, "^packages/contract/src/"],
    }),
    rule("session-takes-only-types-of-the-contract", production("session/"), {
      path: "^packages/contract/",
      dependencyTypesNot: ["type-only"],
    }),
    rule(
      "tests-not-imported",
      { path: anySource, pathNot: notProduction },
      { path: [notProduction, "^packages/[^/]+/test/"] },
    ),
    rule(
      "client-and-console-see-only-contract",
      // A test in a browser has a real server to talk to.
      { path: "^packages/(client|console)/", pathNot: "\\.browser\\.test\\.ts$" },
      { path: "^packages/server/" },
    ),
    rule(
      "contract-is-a-leaf",
      { path: "^packages/contract/" },
      { path: "^packages/(server|client|console)/" },
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    // Servers of others with packages of their own, which are not part of the install.
    exclude: { path: "^bench/peers/" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["types", "import", "node", "default"],
    },
  },
};
