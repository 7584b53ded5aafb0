import { z } from "zod";
import { parseDuration } from "../lib/duration.ts";
import { Secret } from "../lib/secret.ts";
import type { ReadContext, Setting, SettingText } from "./setting.ts";

const providerKinds = ["openai-compatible", "anthropic", "ai-sdk", "google", "mistral", "scripted"] as const;

const timeout = z.string().transform((text, context) => {
  try {
    return parseDuration(text);
  } catch {
    context.addIssue({ code: "custom", message: "must be a duration with its unit, such as 30s" });
    return z.NEVER;
  }
});

const provider = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "must be lower-case letters, digits and hyphens"),
    kind: z.enum(providerKinds),
    baseUrl: z
      .url({ protocol: /^https?$/, message: "must be an http(s) address" })
      .refine((address) => URL.parse(address)?.username === "", "must not hold a user name or password")
      .optional(),
    /** Of kind ai-sdk: the provider package that is installed. */
    package: z
      .string()
      .regex(/^(@[a-z0-9-]+\/)?[a-z0-9.-]+$/)
      .optional(),
    apiKey: z.string().min(1).optional(),
    /** The environment variable that holds the key. */
    apiKeyEnv: z.string().min(1).optional(),
    headers: z.record(z.string(), z.string()).optional(),
    timeouts: z.strictObject({ connect: timeout, firstToken: timeout, idle: timeout }).partial().optional(),
    models: z
      .array(
        z.strictObject({
          name: z.string().min(1),
          contextWindow: z.int().min(1_000).optional(),
          maxOutputTokens: z.int().min(1).optional(),
          /** US dollars for a million tokens; cached ones cost what input costs unless it says otherwise. */
          price: z
            .strictObject({
              input: z.number().min(0),
              output: z.number().min(0),
              cacheRead: z.number().min(0).optional(),
              cacheWrite: z.number().min(0).optional(),
            })
            .transform((price) => ({
              ...price,
              cacheRead: price.cacheRead ?? price.input,
              cacheWrite: price.cacheWrite ?? price.input,
            }))
            .optional(),
        }),
      )
      .optional(),
  })
  .refine(({ kind, baseUrl }) => kind !== "openai-compatible" || baseUrl !== undefined, "needs a baseUrl")
  .refine(
    ({ kind, package: name }) => (kind === "ai-sdk") === (name !== undefined),
    "needs a package, and only with kind ai-sdk",
  )
  .refine(
    ({ apiKey, apiKeyEnv }) => apiKey === undefined || apiKeyEnv === undefined,
    "has two keys: give apiKey or apiKeyEnv",
  );

const providers = z
  .array(provider)
  .refine(
    (all) => new Set(all.map(({ name }) => name)).size === all.length,
    "two providers have the same name",
  );

type WrittenProvider = z.infer<typeof provider>;

/** A model provider as the configuration names it. Times are milliseconds. */
export interface ProviderConfig {
  readonly name: string;
  readonly kind: (typeof providerKinds)[number];
  readonly baseUrl: string | null;
  readonly package: string | null;
  readonly apiKey: Secret | null;
  readonly headers: Readonly<Record<string, Secret>>;
  readonly timeouts: {
    readonly connect?: number | undefined;
    readonly firstToken?: number | undefined;
    readonly idle?: number | undefined;
  };
  /** Empty: the provider is asked, or takes any name. */
  readonly models: readonly ProviderModel[];
}

export type ProviderModel = NonNullable<WrittenProvider["models"]>[number];

/** Providers as JSON: an array in the file, its text in the environment. Their keys become secrets here. */
export function providerList(spec: SettingText): Setting<readonly ProviderConfig[]> {
  return {
    ...spec,
    type: "JSON list of providers",
    default: Object.freeze([]),
    secret: false,
    read(raw, context) {
      const parsed = providers.safeParse(typeof raw === "string" ? parse(raw) : raw);
      if (!parsed.success) throw new Error(sentence(parsed.error));
      return Object.freeze(parsed.data.map((written) => resolve(written, context)));
    },
    show: (value) => (value.length === 0 ? "" : JSON.stringify(value)),
  };
}

function resolve(written: WrittenProvider, { env }: ReadContext): ProviderConfig {
  const {
    name,
    kind,
    baseUrl = null,
    package: sdk = null,
    apiKey,
    apiKeyEnv,
    headers = {},
    timeouts = {},
    models = [],
  } = written;
  const key = apiKeyEnv === undefined ? apiKey : env[apiKeyEnv];
  if (apiKeyEnv !== undefined && !key)
    throw new Error(`wants the key of ${name} from ${apiKeyEnv}, which is not set`);
  const secretHeaders = Object.entries(headers).map(
    ([header, value]) => [header, new Secret(value)] as const,
  );
  return Object.freeze({
    name,
    kind,
    baseUrl: baseUrl?.replace(/\/+$/, "") ?? null,
    package: sdk,
    apiKey: key === undefined ? null : new Secret(key),
    headers: Object.fromEntries(secretHeaders),
    timeouts,
    models,
  });
}

/** JSON.parse's own message quotes the text, which may hold a key. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("must be JSON");
  }
}

function sentence(error: z.ZodError): string {
  const issues = error.issues.map(({ path, message }) =>
    path.length ? `${path.join(".")}: ${message}` : message,
  );
  return `is not a list of providers: ${issues.join("; ")}`;
}
