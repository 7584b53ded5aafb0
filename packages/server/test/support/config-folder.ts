import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LoadedConfig, type LoadOptions, loadConfig } from "../../src/config/load.ts";
import type { ConfigProblem } from "../../src/config/problem.ts";
import { BerthError } from "../../src/lib/errors.ts";

export interface ConfigFolder {
  readonly path: string;
  /** Writes a configuration file, by default the one that is found by itself, and gives its path. */
  write(content: unknown, options?: { name?: string; mode?: number }): string;
  /** Loads with this folder as the working directory and an empty environment. */
  load(options?: LoadOptions): LoadedConfig;
  /** What loading complains about, a line for each problem; empty when it does not. */
  problems(options?: LoadOptions): string[];
  remove(): void;
}

/** A temporary folder to load configurations in. */
export function createConfigFolder(): ConfigFolder {
  const path = mkdtempSync(join(tmpdir(), "berth-config-"));
  const load = (options: LoadOptions = {}) => loadConfig({ env: {}, cwd: path, ...options });
  return {
    path,
    load,
    write(content, { name = "berth-data/berth.config.json", mode = 0o600 } = {}) {
      const file = join(path, name);
      mkdirSync(join(path, "berth-data"), { recursive: true });
      writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
      chmodSync(file, mode);
      return file;
    },
    problems(options) {
      try {
        load(options);
        return [];
      } catch (error) {
        if (!(error instanceof BerthError) || error.code !== "invalid_config") throw error;
        const problems = error.details["problems"] as readonly ConfigProblem[];
        return problems.map(({ where, detail }) => `${where} ${detail}`);
      }
    },
    remove: () => rmSync(path, { recursive: true }),
  };
}
