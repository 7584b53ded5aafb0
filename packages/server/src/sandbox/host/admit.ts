import type { IncomingMessage } from "node:http";
import { BerthError } from "../../lib/errors.ts";
import type { Call } from "../protocol/call.ts";
import { sandboxId, workspaceId } from "../protocol/shapes.ts";
import type { TokenClaims } from "../protocol/token.ts";
import { protocolVersion, versionHeader } from "../protocol/wire.ts";
import { checkSandbox, type HostContext, sandboxNotFound, workspaceNotFound } from "./context.ts";
import type { UsedTokens } from "./used-tokens.ts";
import type { VerifiedClaims, VerifyToken } from "./verify-token.ts";

/** What is called, as the address says it. */
export interface Target<C> {
  readonly call: C;
  /** Empty for calls on the host. */
  readonly id: string;
}

type AnyCall = Pick<Call<unknown, unknown>, "on" | "name" | "verb" | "repeatable">;

export interface Admission {
  readonly verify: VerifyToken;
  readonly used: UsedTokens;
}

/** The claims of a request's token. Throws `unauthenticated`. */
export async function authenticate(request: IncomingMessage, { verify }: Admission): Promise<VerifiedClaims> {
  const token = /^Bearer ([A-Za-z0-9_.-]+)$/.exec(request.headers.authorization ?? "")?.[1];
  const claims = token === undefined ? null : await verify(token);
  if (claims === null)
    throw new BerthError("unauthenticated", "A valid token for this sandbox host is needed.");
  return claims;
}

/** What an address means, to the letter; null for anything else. */
export function readAddress(url: string): { readonly path: string; readonly id: string } | null {
  const match = /^\/v1\/(?:host|(sandbox|workspace)\/([a-z0-9_]{1,64}))\/([a-z]{1,32})$/.exec(url);
  if (match === null) return null;
  const [, place = "host", id = "", name = ""] = match;
  if (place === "sandbox" && !sandboxId.safeParse(id).success) return null;
  if (place === "workspace" && !workspaceId.safeParse(id).success) return null;
  return { path: `${place}/${name}`, id };
}

/** Whether a token allows a call. What it is not for is answered as what there is not. */
export async function authorize(
  context: HostContext,
  { call, id }: Target<AnyCall>,
  claims: TokenClaims,
): Promise<void> {
  const isFor = call.on === "host" ? claims.on === "*" : claims.on === id;
  if (!isFor && call.on === "sandbox") throw sandboxNotFound();
  if (!isFor && call.on === "workspace") throw workspaceNotFound();
  if (!isFor || !claims.verbs.includes(call.verb)) {
    throw new BerthError("forbidden", "The token does not allow this call.");
  }
  if (call.on === "sandbox") await checkSandbox(context, claims, id);
}

/** Throws `token_used` for a second call with a token that is good for one. */
export function useToken({ used }: Admission, call: AnyCall, claims: VerifiedClaims): void {
  if (call.repeatable || used.use(claims)) return;
  throw new BerthError("token_used", "This token was used before, and this call needs one of its own.");
}

/** Throws `protocol_mismatch`. */
export function checkVersion(request: IncomingMessage): void {
  if (request.headers[versionHeader] === protocolVersion) return;
  throw new BerthError(
    "protocol_mismatch",
    `This sandbox host speaks version ${protocolVersion} of the protocol: run the same Berth on both sides.`,
  );
}
