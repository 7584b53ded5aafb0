import { timingSafeEqual } from "node:crypto";
import { BerthError } from "../lib/errors.ts";
import { newId } from "../lib/id.ts";
import type { AccountRecord, LoginRecord, SystemIdentity } from "../store/identity.ts";
import { clearCookie, loginCookieOf, setCookie } from "./login-cookies.ts";
import { loginDraft } from "./login-draft.ts";
import type { Presented } from "./presented.ts";
import { hashToken, makeToken } from "./token.ts";

export type { LoginRecord };

/** A login that has just begun. */
export interface StartedLogin {
  readonly login: LoginRecord;
  /** For the header `X-CSRF-Token` of whatever changes something. */
  readonly csrfToken: string;
  /** Values of `Set-Cookie`. */
  readonly cookies: readonly string[];
}

/** Who logs in, where, and how. */
export interface NewLogin {
  readonly account: AccountRecord;
  readonly orgId: string;
  readonly method: LoginRecord["method"];
}

/** Of a request that begins or ends a login. */
export interface LoginRequest {
  readonly presented: Presented;
  readonly requestId: string;
}

/** People's logins in browsers: a random cookie, known here by its hash, and a CSRF token that belongs to it. */
export interface Logins {
  /** Ends the login that the request still has, so that nobody goes on with a cookie that was there before. */
  begin(who: NewLogin, request: LoginRequest): Promise<StartedLogin>;
  /** The login of a request's cookie; null when there is none that is good. Prolongs it now and then. */
  find(presented: Presented): Promise<LoginRecord | null>;
  /** By the hash that `hashOf` gives. */
  findByHash(tokenHash: string): Promise<LoginRecord | null>;
  /** Of the cookie that a request has; null when it has none. */
  hashOf(presented: Presented): string | null;
  /** Throws `csrf_failed` when the request does not bring the login's token. */
  requireCsrfToken(login: LoginRecord, presented: Presented): void;
  /** The login as it is then. */
  moveTo(login: LoginRecord, orgId: string): Promise<LoginRecord>;
  /** Ends the login that a request has. The cookies to clear. */
  end(request: LoginRequest): Promise<readonly string[]>;
  readonly lifetimeMs: number;
}

export interface LoginsOptions {
  readonly identity: SystemIdentity;
  readonly pepper: Buffer;
  readonly now: () => number;
  /** After so long without a request a login ends; milliseconds. */
  readonly idleMs: number;
  /** After so long it ends whatever was done; milliseconds. */
  readonly lifetimeMs: number;
  /** Told where a login ended or was left. */
  readonly changed: (orgId: string) => void;
}

/** A login that was prolonged less than so long ago is not written again. Milliseconds. */
const touchEveryMs = 60_000;
const longestAgent = 300;

export function createLogins(options: LoginsOptions): Logins {
  const { identity, pepper, now, idleMs, lifetimeMs, changed } = options;
  const endOf = (createdAt: number, at: number) => Math.min(at + idleMs, createdAt + lifetimeMs);

  function hashOf(presented: Presented): string | null {
    const token = loginCookieOf(presented, "login");
    return token === null ? null : hashToken(token.slice(0, 200), { purpose: "login", pepper });
  }

  async function earlierLogin(presented: Presented): Promise<LoginRecord | null> {
    const hash = hashOf(presented);
    return hash === null ? null : identity.findLogin(hash);
  }

  return {
    hashOf,
    lifetimeMs,
    findByHash: (tokenHash) => identity.findLogin(tokenHash),

    async begin(who, request) {
      const { presented, requestId } = request;
      const earlier = await earlierLogin(presented);
      if (earlier !== null) {
        await identity.endLogins({ id: earlier.id });
        changed(earlier.orgId);
      }
      const { token, hash: tokenHash } = makeToken("login", pepper);
      const { token: csrf, hash: csrfHash } = makeToken("csrf", pepper);
      const at = now();
      const login = newLogin(who, { presented, csrfHash, at, expiresAt: endOf(at, at) });
      const audit = loginDraft("login.started", { login, account: who.account, requestId });
      await identity.createLogin({ ...login, tokenHash, audit });
      const cookies = [
        setCookie(presented, { cookie: "login", value: token.reveal(), maxAgeMs: lifetimeMs }),
        setCookie(presented, { cookie: "csrf", value: csrf.reveal(), maxAgeMs: lifetimeMs }),
      ];
      return { login, csrfToken: csrf.reveal(), cookies };
    },

    async find(presented) {
      const hash = hashOf(presented);
      const login = hash === null ? null : await identity.findLogin(hash);
      if (login === null || now() - login.lastSeenAt < touchEveryMs) return login;
      const touched = { ...login, lastSeenAt: now(), expiresAt: endOf(login.createdAt, now()) };
      await identity.touchLogin({ id: login.id, at: touched.lastSeenAt, expiresAt: touched.expiresAt });
      return touched;
    },

    requireCsrfToken({ csrfHash }, presented) {
      const given = presented.header("x-csrf-token") ?? "";
      const hash = Buffer.from(hashToken(given.slice(0, 200), { purpose: "csrf", pepper }), "hex");
      if (timingSafeEqual(hash, Buffer.from(csrfHash, "hex"))) return;
      throw new BerthError(
        "csrf_failed",
        "This request has a login's cookie and not its token: send the value of the cookie berth-csrf as X-CSRF-Token.",
      );
    },

    async moveTo(login, orgId) {
      const moved = { ...login, orgId, lastSeenAt: now(), expiresAt: endOf(login.createdAt, now()) };
      await identity.touchLogin({ id: login.id, at: moved.lastSeenAt, expiresAt: moved.expiresAt, orgId });
      changed(login.orgId);
      return moved;
    },

    async end({ presented, requestId }) {
      const login = await earlierLogin(presented);
      const account = login === null ? null : await identity.findAccount(login.userId);
      if (login !== null && account !== null) {
        const audit = loginDraft("login.ended", { login, account, requestId });
        await identity.endLogins({ id: login.id }, { orgId: login.orgId, audit });
        changed(login.orgId);
      }
      return [clearCookie(presented, "login"), clearCookie(presented, "csrf")];
    },
  };
}

function newLogin(
  { account, orgId, method }: NewLogin,
  by: {
    readonly presented: Presented;
    readonly csrfHash: string;
    readonly at: number;
    readonly expiresAt: number;
  },
): LoginRecord {
  const { presented, csrfHash, at, expiresAt } = by;
  return {
    id: newId("login"),
    userId: account.id,
    orgId,
    csrfHash,
    method,
    address: presented.peer.address,
    agent: presented.header("user-agent")?.slice(0, longestAgent) ?? null,
    createdAt: at,
    lastSeenAt: at,
    expiresAt,
  };
}
