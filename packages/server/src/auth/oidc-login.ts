import { z } from "zod";
import { BerthError } from "../lib/errors.ts";
import type { AccountRecord, SystemIdentity } from "../store/identity.ts";
import { type Claims, orgsOf, personOf } from "./claims.ts";
import { clearCookie, loginCookieOf, setCookie } from "./login-cookies.ts";
import type { LoginRequest, Logins, StartedLogin } from "./logins.ts";
import { createOidcClient, type OidcClient, type OidcProvider } from "./oidc-provider.ts";
import type { OrgChoice } from "./org-choice.ts";
import { orgFor } from "./password-login.ts";
import { accountOf, type Asserted, standingOf } from "./people.ts";
import type { Presented } from "./presented.ts";
import type { SealedText } from "./sealed-text.ts";

/** Logins at identity providers: there with a fresh state, nonce and PKCE, and back into a login of ours. */
export interface OidcLogin {
  readonly providers: readonly { readonly name: string; readonly label: string }[];
  /** Rejects with `login_provider_not_found` or `identity_provider_unavailable`. */
  begin(name: string, from: { readonly presented: Presented; readonly returnTo: string }): Promise<Redirect>;
  /** `search`: what the provider sent back. Rejects with `login_refused`, besides what `begin` does. */
  finish(name: string, back: LoginRequest & { readonly search: string }): Promise<Redirect>;
}

export interface Redirect {
  readonly location: string;
  readonly cookies: readonly string[];
}

export interface OidcLoginOptions {
  readonly providers: readonly OidcProvider[];
  readonly identity: SystemIdentity;
  readonly orgs: OrgChoice;
  readonly logins: Logins;
  readonly sealed: SealedText;
  /** Where people reach the server; null: what their browsers ask for. */
  readonly publicUrl: string | null;
  readonly now: () => number;
  /** Told of why somebody was not let in. */
  readonly onRefused: (provider: string, error: unknown) => void;
}

/** How long somebody may take at the provider. Milliseconds. */
const flowMs = 600_000;

const flowCookie = z.strictObject({
  provider: z.string(),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  returnTo: z.string(),
  until: z.number(),
});

export function createOidcLogin(options: OidcLoginOptions): OidcLogin {
  const { providers, sealed, publicUrl, now, onRefused } = options;
  const clients = new Map(
    providers.map((provider): [string, { provider: OidcProvider; client: OidcClient }] => [
      provider.name,
      { provider, client: createOidcClient(provider) },
    ]),
  );

  function found(name: string): { readonly provider: OidcProvider; readonly client: OidcClient } {
    const known = clients.get(name);
    if (known !== undefined) return known;
    throw new BerthError(
      "login_provider_not_found",
      "There is no such identity provider: GET /api/v1/login/methods lists them.",
    );
  }

  function callbackOf(name: string, presented: Presented): string {
    return `${publicUrl ?? presented.origin ?? ""}/api/v1/login/oidc/${name}/callback`;
  }

  function openFlow(name: string, presented: Presented): z.output<typeof flowCookie> {
    const text = sealed.open(loginCookieOf(presented, "oidc") ?? "");
    const flow = flowCookie.safeParse(text === null ? null : JSON.parse(text));
    if (!flow.success || flow.data.provider !== name || flow.data.until <= now()) throw notBegunHere();
    return flow.data;
  }

  return {
    providers: providers.map(({ name, label }) => ({ name, label })),

    async begin(name, { presented, returnTo }) {
      const { client } = found(name);
      const { location, flow } = await client.begin(callbackOf(name, presented)).catch((error: unknown) => {
        onRefused(name, error);
        throw new BerthError(
          "identity_provider_unavailable",
          "The identity provider does not answer as it should: try again in a moment.",
          { retryable: true },
        );
      });
      const value = sealed.seal(JSON.stringify({ ...flow, provider: name, returnTo, until: now() + flowMs }));
      return { location, cookies: [setCookie(presented, { cookie: "oidc", value, maxAgeMs: flowMs })] };
    },

    async finish(name, { search, ...request }) {
      const { presented } = request;
      const { provider, client } = found(name);
      const flow = openFlow(name, presented);
      const callback = new URL(`${callbackOf(name, presented)}${search}`);
      const claims = await client.finish(callback, flow).catch((error: unknown) => {
        onRefused(name, error);
        throw notConfirmed();
      });
      const { cookies } = await enter(options, { provider, claims }, request);
      return { location: flow.returnTo, cookies: [...cookies, clearCookie(presented, "oidc")] };
    },
  };
}

async function enter(
  { identity, orgs, logins }: OidcLoginOptions,
  { provider, claims }: { readonly provider: OidcProvider; readonly claims: Claims },
  request: LoginRequest,
): Promise<StartedLogin> {
  const about = {
    ...personOf(provider, claims),
    source: "oidc" as const,
    issuer: provider.issuer,
    subject: String(claims["sub"]),
    requestId: request.requestId,
    address: request.presented.peer.address,
  };
  const bound = await orgsOf(orgs, provider, claims);
  const place =
    bound === null
      ? await ownPlace(identity, provider, { ...about, orgId: "" })
      : await boundPlace(identity, provider, { ...about, orgId: bound[0] ?? "" });
  if (place === null) throw notAMember();
  return logins.begin({ ...place, method: "oidc" }, request);
}

interface Place {
  readonly account: AccountRecord;
  readonly orgId: string;
}

/** The organization that the provider speaks for. */
async function boundPlace(
  identity: SystemIdentity,
  provider: OidcProvider,
  asserted: Asserted,
): Promise<Place | null> {
  if (asserted.orgId === "") return null;
  const standing = await standingOf(identity, asserted, provider);
  const account = standing?.active === true ? await identity.findAccount(standing.id) : null;
  return account === null ? null : { account, orgId: asserted.orgId };
}

/** One that the person is a member of. Nobody is made a member of anything. */
async function ownPlace(
  identity: SystemIdentity,
  provider: OidcProvider,
  asserted: Asserted,
): Promise<Place | null> {
  const account = await accountOf(identity, asserted, provider);
  if (account === null || account.status !== "active") return null;
  const org = await orgFor(identity, account, null);
  return org === null ? null : { account, orgId: org.id };
}

function notBegunHere(): BerthError {
  return new BerthError(
    "login_refused",
    "This login was not begun in this browser, or too long ago: begin again.",
  );
}

function notConfirmed(): BerthError {
  return new BerthError("login_refused", "The identity provider did not confirm who you are: begin again.");
}

function notAMember(): BerthError {
  return new BerthError(
    "login_refused",
    "The identity provider knows you, but you are a member of no organization here: ask an administrator of yours for an invitation.",
  );
}
