import { z } from "zod";
import { idSchema, timestamp } from "./id.ts";

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

export const auditOutcome = z.enum(["done", "refused"]);

/** Where an entry lies in its organization's chain. MACs are lower-case hex, under a key that only the server has. */
export const auditSeal = z.strictObject({
  number: z.int().positive().describe("1, 2, 3, … without a gap"),
  previous: z.string().describe("the MAC of the entry before; empty for the first"),
  personMac: z.string().describe("stands for the actor's name and the address"),
  detailsMac: z.string().describe("stands for the details"),
  mac: z.string(),
});

export const auditEntry = z.strictObject({
  id: idSchema("audit"),
  at: timestamp,
  actor: z.strictObject({ type: z.enum(["user", "service", "system"]), id: z.string(), name: z.string() }),
  credential: z.string().nullable().describe("how the actor proved itself, as `api_key:key_…`"),
  action: z.string().describe("`resource.verb`: `agent.created`, `member.removed`, `access.refused`"),
  target: z.strictObject({ type: z.string(), id: z.string() }).nullable(),
  outcome: auditOutcome,
  requestId: z.string().nullable(),
  address: z.string().nullable().describe("the client's address"),
  details: z.record(z.string(), scalar),
  erased: z.boolean().describe("name, address and details were blanked because the person was erased"),
  seal: auditSeal.nullable().describe("null until the entry is sealed, within a second"),
});
export type AuditEntry = z.output<typeof auditEntry>;

/** Which entries of an audit log. */
export const auditQuery = {
  actor: z.string().max(64).optional().describe("id of a user or service account"),
  action: z
    .string()
    .regex(
      /^[a-z_]{1,40}\.[a-z_]{0,40}$/,
      "must be an action such as agent.created, or agent. for all of agents",
    )
    .optional(),
  target: z.string().max(200).optional().describe("id of what was changed"),
  outcome: auditOutcome.optional(),
  from: timestamp.optional(),
  to: timestamp.optional(),
};

export const auditFault = z.enum([
  "changed",
  "missing",
  "reordered",
  "clock_back",
  "truncated",
  "replaced",
  "forged_cut",
  "wrong_head",
]);
export type AuditFault = z.output<typeof auditFault>;

export const auditVerdict = z.strictObject({
  ok: z.boolean(),
  rows: z.int().nonnegative().describe("sealed entries that were looked at"),
  firstBad: z
    .strictObject({ number: z.int(), id: z.string().nullable(), why: auditFault })
    .nullable()
    .describe("the first entry that is not what was sealed"),
  begins: z.int().positive().describe("number of the first entry that is kept"),
  erased: z.int().nonnegative().describe("entries whose personal part was blanked"),
  unsealed: z.strictObject({
    count: z.int().nonnegative(),
    oldestAgeMs: z.int().nonnegative().nullable().describe("of the oldest entry that waits for its seal"),
  }),
});
export type AuditVerdict = z.output<typeof auditVerdict>;
