import { z } from "zod";
import { idSchema, timestamp } from "./id.ts";
import { modelProvider, modelProviderBody, providerName } from "./model-provider.ts";

/** How the sandboxes of a user's sessions are given out. */
export const sandboxAllocationStrategy = z.enum(["Shared-Pool", "User-Exclusive", "Session-Exclusive"]);
export type SandboxAllocationStrategy = z.infer<typeof sandboxAllocationStrategy>;

export const userConfigLimits = {
  sharedLinks: 200,
  fragments: 20,
  fragmentCharacters: 4_000,
  allFragmentCharacters: 16_000,
  modelProviders: 20,
} as const;

const label = z.string().max(200).default("");

const linkFields = {
  label,
  url: z
    .url({ protocol: /^https?$/, message: "must be an http(s) address" })
    .max(2_000)
    .optional(),
  shareLinkId: idSchema("shareLink").optional().describe("a share link of a session"),
};
const oneTarget = ({ url, shareLinkId }: { url?: string | undefined; shareLinkId?: string | undefined }) =>
  (url === undefined) !== (shareLinkId === undefined);
const oneTargetText = "needs either a url or a shareLinkId";

export const sharedLinkBody = z.strictObject(linkFields).refine(oneTarget, oneTargetText);
export type SharedLinkInput = z.input<typeof sharedLinkBody>;

/** A link that the user has given to others and wants to find again. */
export const sharedLink = z.strictObject({
  id: idSchema("sharedLink"),
  label: z.string(),
  url: z.string().nullable(),
  shareLinkId: z.string().nullable(),
  createdAt: timestamp,
});
export type SharedLink = z.infer<typeof sharedLink>;

const fragmentFields = {
  label,
  content: z.string().trim().min(1).max(userConfigLimits.fragmentCharacters),
  enabled: z.boolean().default(true),
};

export const spFragmentBody = z.strictObject(fragmentFields);
export type SpFragmentInput = z.input<typeof spFragmentBody>;

/** A piece of text that is added to the system prompt of the user's sessions, after the agent's own instructions. */
export const spFragment = z.strictObject({
  id: idSchema("spFragment"),
  label: z.string(),
  content: z.string(),
  enabled: z.boolean(),
  createdAt: timestamp,
});
export type SpFragment = z.infer<typeof spFragment>;

/** A provider of the user's own; for the user's own sessions only. */
export const userModelProvider = modelProvider.omit({ createdAt: true, updatedAt: true });
export type UserModelProvider = z.infer<typeof userModelProvider>;

export const userModelProviderBody = modelProviderBody.extend({ name: providerName });

const modelProviders = z.array(userModelProviderBody).max(userConfigLimits.modelProviders);
export const userModelProvidersBody = z.strictObject({ modelProviders });
export type UserModelProvidersInput = z.input<typeof userModelProvidersBody>;

/** What is written of a user's settings. What is not named stays as it is, or gets its default; a list replaces the whole list. */
export const userConfigBody = z.strictObject({
  sandboxAllocationStrategy: sandboxAllocationStrategy
    .nullable()
    .optional()
    .describe("null: as the organization says"),
  sandboxPoolQuota: z
    .int()
    .min(1)
    .max(100)
    .nullable()
    .optional()
    .describe(
      "sandboxes that the user may have at once; null: as many as the organization lets everybody have",
    ),
  autoScrollEnabled: z.boolean().optional(),
  taskCompletionNotificationEnabled: z.boolean().optional(),
  inputSuggestionsEnabled: z.boolean().optional(),
  sharedLinks: z
    .array(
      z
        .strictObject({ id: idSchema("sharedLink").optional(), ...linkFields })
        .refine(oneTarget, oneTargetText),
    )
    .max(userConfigLimits.sharedLinks)
    .optional(),
  customSpFragments: z
    .array(z.strictObject({ id: idSchema("spFragment").optional(), ...fragmentFields }))
    .max(userConfigLimits.fragments)
    .optional(),
  modelProviders: modelProviders.optional(),
});
export type UserConfigBody = z.infer<typeof userConfigBody>;
export type UserConfigInput = z.input<typeof userConfigBody>;

/** A user's settings in one organization. `version` is the ETag. */
export const userConfig = z.strictObject({
  userId: z.string(),
  version: z.int().min(1),
  sandboxAllocationStrategy: sandboxAllocationStrategy.nullable().describe("null: as the organization says"),
  sandboxPoolQuota: z.int().nullable().describe("null: as many as the organization lets everybody have"),
  autoScrollEnabled: z.boolean(),
  taskCompletionNotificationEnabled: z.boolean(),
  inputSuggestionsEnabled: z.boolean(),
  sharedLinks: z.array(sharedLink),
  customSpFragments: z.array(spFragment),
  modelProviders: z.array(userModelProvider),
  createdAt: timestamp,
  updatedAt: timestamp,
});
export type UserConfig = z.infer<typeof userConfig>;
