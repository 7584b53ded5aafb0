import { z } from "zod";
import { idSchema, timestamp } from "./id.ts";
import { roleName } from "./role.ts";

export const serviceAccountName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must be lower-case letters, digits and dashes, at most 63 characters");

/** By what a client certificate is known: its fingerprint, or one of its subject alternative names as TLS writes it. */
export const certificateName = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("fingerprint"),
    value: z
      .string()
      .regex(/^[0-9a-f]{64}$/, "must be the certificate's SHA-256, 64 lower-case hexadecimal digits"),
  }),
  z.strictObject({
    kind: z.literal("name"),
    value: z
      .string()
      .max(300)
      .regex(/^(DNS|URI|email|IP Address):[^\s,"]+$/, "must be as TLS writes it: DNS:…, URI:…, email:…"),
  }),
]);
export type CertificateName = z.infer<typeof certificateName>;

const certificates = z.array(certificateName).max(20);

/** A program's account in an organization. */
export const serviceAccount = z.strictObject({
  id: idSchema("serviceAccount"),
  name: serviceAccountName,
  role: z.string(),
  status: z.enum(["active", "disabled"]),
  certificates,
  createdBy: z.string(),
  createdAt: timestamp,
  updatedAt: timestamp,
});
export type ServiceAccount = z.infer<typeof serviceAccount>;

export const createServiceAccountBody = z.strictObject({
  name: serviceAccountName,
  role: roleName.default("member"),
  certificates: certificates.default([]).describe("only the operator"),
});
export type CreateServiceAccountBody = z.input<typeof createServiceAccountBody>;

export const updateServiceAccountBody = z
  .strictObject({
    name: serviceAccountName.optional(),
    role: roleName.optional(),
    status: z.enum(["active", "disabled"]).optional(),
    certificates: certificates.optional().describe("only the operator"),
  })
  .refine((body) => Object.keys(body).length > 0, "give at least one field");
export type UpdateServiceAccountBody = z.infer<typeof updateServiceAccountBody>;
