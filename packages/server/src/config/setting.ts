/** Where a value is read: what a setting may depend on besides its own text. */
export interface ReadContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What relative paths count from. */
  readonly cwd: string;
}

/** What a setting says about itself, whatever its type. */
export interface SettingText {
  /** One sentence for the help and the reference page. */
  readonly help: string;
  /** The environment variable, when it is not `BERTH_` and the name. */
  readonly env?: string;
  /** Not in the help, not on the reference page, in the environment only. */
  readonly hidden?: boolean;
  /** False: not in the configuration file. */
  readonly inFile?: boolean;
  /** False: not on the command line, as no secret is. */
  readonly hasFlag?: boolean;
}

export interface Setting<T> extends SettingText {
  /** What may be written, for people: `integer from 0 to 65535`. */
  readonly type: string;
  readonly default: T;
  /** Never in argv, never printed. */
  readonly secret: boolean;
  /** Takes text (environment, flag) or a JSON value (file). Throws an Error whose message goes on after the setting's name. */
  read(raw: unknown, context: ReadContext): T;
  /** The value as text that `read` takes. Not called for secrets. */
  show(value: T): string;
}

export type SettingValue<S> = S extends Setting<infer T> ? T : never;

/** The same setting, null when nothing is said. */
export function optional<T>(setting: Setting<T>): Setting<T | null> {
  return { ...setting, default: null, show: (value) => (value === null ? "" : setting.show(value)) };
}
