import { z } from "zod";
import { agentEgressRule } from "./agent-sandbox.ts";
import { displayText } from "./display-text.ts";
import { idSchema, timestamp } from "./id.ts";
import { retention } from "./retention.ts";
import { visibility } from "./session.ts";
import { sandboxAllocationStrategy } from "./user-config.ts";
import { email, personName } from "./user.ts";

/** An organization's name in addresses and headers. It has no underscore, so it is never taken for an id. */
export const orgSlug = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must be lower-case letters, digits and dashes, at most 63 characters");

export const orgName = displayText(200);

/** Addresses and networks, `203.0.113.7` or `2001:db8::/32`. */
const network = z.union([z.ipv4(), z.cidrv4(), z.ipv6(), z.cidrv6()]);
const networks = z
  .array(
    z
      .string()
      .max(64)
      .refine(
        (text) => network.safeParse(text).success,
        "must be an address or a network, such as 10.0.0.0/8",
      ),
  )
  .max(200);

/** How sandboxes of an organization are given out. */
const sandbox = z
  .strictObject({
    strategy: sandboxAllocationStrategy.describe("of sessions whose agent and owner wish no other"),
    egress: z
      .array(agentEgressRule)
      .max(100)
      .describe("what every sandbox may reach, besides what its agent names"),
    perUser: z.int().min(1).max(100).describe("sandboxes of one user at once; only lowers the server's"),
    perOrg: z.int().min(1).max(10_000).describe("sandboxes at once; only lowers the server's"),
  })
  .partial();

/** What an organization sets for itself, each member with a default elsewhere. */
const settings = {
  defaultVisibility: visibility.describe("of new sessions; default private"),
  weight: z.int().min(1).max(1_000).describe("its share of the places where sessions run; default 1"),
  ipAllow: networks.describe("from where it may be used; default and empty: from anywhere"),
  rateFactor: z
    .number()
    .min(0.01)
    .max(1_000)
    .describe("how many times the server's rate limits it may use; default 1"),
  retention,
  sandbox,
};

export const orgSettings = z.strictObject(settings).partial();
export type OrgSettings = z.infer<typeof orgSettings>;

/** Settings that an organization reads and only the operator changes. */
export const operatorSettings: readonly string[] = ["weight", "rateFactor"];

export const orgStatus = z.enum(["active", "suspended", "erasing"]);

export const org = z.strictObject({
  id: idSchema("org"),
  slug: orgSlug,
  name: z.string(),
  status: orgStatus.describe("suspended: nobody but the operator gets in, and nothing runs"),
  settings: orgSettings,
  createdAt: timestamp,
  updatedAt: timestamp,
});
export type Org = z.infer<typeof org>;

export const createOrgBody = z.strictObject({
  slug: orgSlug,
  name: orgName.optional().describe("default: the slug"),
  owner: z
    .strictObject({ email, name: personName.optional() })
    .optional()
    .describe("its first owner, who gets an invitation"),
});
export type CreateOrgBody = z.infer<typeof createOrgBody>;

export const updateOrgBody = z
  .strictObject({
    slug: orgSlug.optional().describe("only the operator"),
    name: orgName.optional(),
    status: z.enum(["active", "suspended"]).optional().describe("only the operator"),
    settings: z
      .strictObject(nullable(settings))
      .optional()
      .describe("replaces what it names; null: its default again"),
  })
  .refine((body) => Object.keys(body).length > 0, "give at least one field");
export type UpdateOrgBody = z.infer<typeof updateOrgBody>;

function nullable<T extends z.ZodRawShape>(shape: T): { [K in keyof T]: z.ZodOptional<z.ZodNullable<T[K]>> } {
  const entries = Object.entries(shape).map(([key, schema]) => [key, (schema as z.ZodType).nullish()]);
  return Object.fromEntries(entries) as { [K in keyof T]: z.ZodOptional<z.ZodNullable<T[K]>> };
}
