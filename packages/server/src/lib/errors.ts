/** The one error class of Berth: stable code, a sentence that says what to do, and whether to try again. HTTP numbers live in http/. */
export class BerthError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: string,
    message: string,
    options: { retryable?: boolean; details?: Readonly<Record<string, unknown>>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "BerthError";
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
  }
}

/** Any thrown thing as a BerthError; what is not one becomes `internal`, with the original as its cause. */
export function asBerthError(thrown: unknown): BerthError {
  if (thrown instanceof BerthError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new BerthError("internal", message, { cause: thrown });
}

/** For the branch of an exhaustive switch that cannot be reached; a missing case does not compile. */
export function unreachable(value: never): never {
  throw new BerthError("internal", `unexpected value ${JSON.stringify(value)}`);
}
