import { BerthError } from "../lib/errors.ts";

export interface ConfigProblem {
  /** Where it stands, as the user wrote it: `--port`, `BERTH_PORT`, or `port in FILE`. */
  readonly where: string;
  /** Goes on after it: `must be ...`. Quotes no secret. */
  readonly detail: string;
}

/** All problems as one error, a line for each. */
export function invalidConfig(problems: readonly ConfigProblem[]): BerthError {
  const lines = problems.map(({ where, detail }) => `  ${where} ${detail}`);
  return new BerthError("invalid_config", `the configuration is not valid:\n${lines.join("\n")}`, {
    details: { problems },
  });
}
