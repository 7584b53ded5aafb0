import { z } from "zod";
import { verbs } from "./call.ts";
import { deployment, sandboxId, workspaceId } from "./shapes.ts";

/** Who signs tokens for sandbox hosts. */
export const tokenIssuer = "berth";
/** In the header, so that no other token that the same key signs is taken for one. */
export const tokenType = "berth-sandbox+jwt";
export const tokenAlgorithms = ["EdDSA", "ES256"] as const;
/** No token may be valid for longer, seconds. */
export const longestTokenLife = 300;
/** How far the clocks of a server and a host may be apart, seconds. */
export const clockTolerance = 5;

/** For one host and no other: what it is given cannot be used elsewhere. */
export function audienceOf(hostName: string): string {
  return `sandbox-host:${hostName}`;
}

/** What a token says besides issuer, audience and time. */
export const tokenClaims = z.object({
  /** Whose sandboxes. */
  sub: deployment,
  /** The sandbox or workspace that it is for; `*`: the host itself. */
  on: z.union([sandboxId, workspaceId, z.literal("*")]),
  verbs: z.array(z.enum(verbs)).min(1).max(verbs.length),
  /** Calls that may not be repeated take each token once. */
  jti: z.string().min(16).max(64),
  iat: z.int(),
  exp: z.int(),
});
export type TokenClaims = z.infer<typeof tokenClaims>;
