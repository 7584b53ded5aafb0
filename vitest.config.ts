import { defineConfig } from "vitest/config";

const outside = ["**/node_modules/**", ".tools/**"];
const needsMore = ["**/*.{int,browser,conformance}.test.ts", "packages/*/test/integration/**"];

export default defineConfig({
  test: {
    maxWorkers: 2,
    setupFiles: ["packages/server/test/support/leaks.ts"],
    // How long a condition may take on a busy machine: that of an `expect.poll`, which ends as soon as it holds.
    expect: { poll: { timeout: 8_000 } },
    // Tests run what production runs: Node's own loader and type stripping, no bundler in between.
    experimental: { viteModuleRunner: false },
    coverage: {
      provider: "v8",
      include: ["packages/server/src/session/**/*.ts"],
      exclude: ["**/*.test.ts"],
      reporter: ["text", "json-summary"],
      reportsDirectory: "coverage",
      thresholds: { lines: 100, branches: 100, functions: 100, statements: 100 },
    },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["packages/*/{src,test}/**/*.test.ts"],
          exclude: [...outside, ...needsMore],
          testTimeout: 10_000,
        },
      },
      {
        extends: true,
        test: {
          name: "conformance",
          include: ["packages/*/src/**/*.{int,conformance}.test.ts"],
          exclude: outside,
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["packages/*/test/**/*.int.test.ts", "packages/*/test/integration/**/*.test.ts"],
          exclude: [...outside, "**/*.{browser,alone}.test.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "alone",
          include: ["packages/*/test/**/*.alone.test.ts"],
          exclude: outside,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: "browser",
          include: ["packages/*/{src,test}/**/*.browser.test.ts"],
          exclude: outside,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
