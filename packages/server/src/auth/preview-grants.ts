import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../lib/clock.ts";
import { BerthError } from "../lib/errors.ts";
import type { Principal } from "./principal.ts";

/** One port of one life of one sandbox. */
export interface PreviewTarget {
  readonly orgId: string;
  readonly sandboxId: string;
  readonly incarnation: string;
  readonly port: number;
}

/** That a port may be reached with a token, in the name of who opened it. */
export interface PreviewGrant extends PreviewTarget {
  /** First label of the preview's host name: says nothing of what is behind it. */
  readonly label: string;
  readonly principal: Principal;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** The previews that are open. A token is good while its signature, its time and its grant are: all three. */
export interface PreviewGrants {
  /** Opening an open port again puts off its end; the tokens from before stay good until their own. Throws `too_many_previews`. */
  open(
    target: PreviewTarget,
    opening: { readonly principal: Principal; readonly ttlMs: number },
  ): { readonly grant: PreviewGrant; readonly token: string };
  list(orgId: string, sandboxId: string): readonly PreviewGrant[];
  /** Makes its tokens worthless; false when it is not open. */
  close(target: Pick<PreviewTarget, "orgId" | "sandboxId" | "port">): boolean;
  /** Null for a token that is no good on a host with this label: forged, expired, revoked, or another port's. */
  redeem(token: string, label: string): PreviewGrant | null;
}

/** Longest life of a token, milliseconds. */
const longestMs = 86_400_000;

/** Ports that may be open at once, in all and of one organization. */
const limit = 10_000;
const limitOfOrg = 1_000;

/** No token is longer. */
const longestToken = 400;

/** Grants are held in this process: after a restart a port is opened again. */
export function createPreviewGrants({
  key,
  clock,
}: {
  readonly key: Buffer;
  readonly clock: Pick<Clock, "now">;
}): PreviewGrants {
  /** By a number that each of its tokens names. Who opened it is part of it: each opener's tokens end with that one's access. */
  const open = new Map<string, PreviewGrant>();

  function forgetExpired(): void {
    const now = clock.now();
    for (const [secret, grant] of open) if (grant.expiresAt <= now) open.delete(secret);
  }

  return {
    open(target, { principal, ttlMs }) {
      forgetExpired();
      const label = labelOf(key, target);
      const ofOrg = [...open].filter(([, { orgId }]) => orgId === target.orgId);
      const before = ofOrg.find(([, its]) => its.label === label && isSame(its.principal, principal));
      if (before === undefined && (open.size >= limit || ofOrg.length >= limitOfOrg)) throw tooMany();
      const until = clock.now() + Math.min(ttlMs, longestMs);
      const expiresAt = Math.max(until, before?.[1].expiresAt ?? 0);
      const secret = before?.[0] ?? randomBytes(12).toString("base64url");
      const grant = { ...target, label, principal, expiresAt };
      open.set(secret, grant);
      return { grant: { ...grant, expiresAt: until }, token: sign(key, { label, secret, until }) };
    },

    list(orgId, sandboxId) {
      forgetExpired();
      return [...open.values()].filter((grant) => grant.orgId === orgId && grant.sandboxId === sandboxId);
    },

    close({ orgId, sandboxId, port }) {
      forgetExpired();
      const found = [...open].filter(
        ([, grant]) => grant.orgId === orgId && grant.sandboxId === sandboxId && grant.port === port,
      );
      for (const [secret] of found) open.delete(secret);
      return found.length > 0;
    },

    redeem(token, label) {
      const claims = verify(key, token);
      if (claims === null || claims.label !== label || claims.until <= clock.now()) return null;
      const grant = open.get(claims.secret);
      if (grant === undefined || grant.label !== label || grant.expiresAt <= clock.now()) return null;
      return { ...grant, expiresAt: claims.until };
    },
  };
}

function isSame(one: Principal, other: Principal): boolean {
  const { type, id, credential } = one;
  return type === other.type && id === other.id && credential.id === other.credential.id;
}

interface Claims {
  readonly label: string;
  /** Of the grant: one that was closed and opened again has another. */
  readonly secret: string;
  readonly until: number;
}

/** The same for the same port of the same life of a sandbox, so that a page's address stays what it was. */
function labelOf(key: Buffer, { orgId, sandboxId, incarnation, port }: PreviewTarget): string {
  const bytes = mac(key, "label", JSON.stringify([orgId, sandboxId, incarnation, port]));
  return `p${BigInt(`0x${bytes.subarray(0, 16).toString("hex")}`)
    .toString(36)
    .padStart(25, "0")}`;
}

function sign(key: Buffer, { label, secret, until }: Claims): string {
  const text = `${label}.${until}.${secret}`;
  return `${text}.${mac(key, "token", text).toString("base64url")}`;
}

function verify(key: Buffer, token: string): Claims | null {
  const parts =
    token.length > longestToken
      ? null
      : /^((p[0-9a-z]{25})\.(\d{1,15})\.([\w-]{16}))\.([\w-]{43})$/.exec(token);
  if (parts === null) return null;
  const [, text = "", label = "", until, secret = "", signature = ""] = parts;
  const given = Buffer.from(signature, "base64url");
  const good = mac(key, "token", text);
  if (given.length !== good.length || !timingSafeEqual(given, good)) return null;
  return { label, secret, until: Number(until) };
}

function mac(key: Buffer, purpose: string, text: string): Buffer {
  return createHmac("sha256", key).update(`berth preview ${purpose}\n`).update(text).digest();
}

function tooMany(): BerthError {
  return new BerthError("too_many_previews", "Too many ports are open: close some that nobody looks at.", {
    retryable: true,
  });
}
