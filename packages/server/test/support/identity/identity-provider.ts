import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { Provider } from "oidc-provider";

/** A person whom the provider knows. */
export interface IdpPerson {
  readonly sub: string;
  readonly name: string;
  readonly email: string;
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** A real identity provider (oidc-provider) on this machine. Whoever comes is logged in as `person` without being asked. */
export interface IdentityProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The API that its access tokens are for. */
  readonly audience: string;
  person: IdpPerson;
  /** How often its keys were asked for. */
  readonly keyFetches: number;
  /** From now on it signs with a new key and knows the old one no more. */
  rotateKeys(): Promise<void>;
  /** A token with any claims and header, signed with its own key, as no well-behaved provider would make it. */
  forge(
    claims: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
  ): Promise<string>;
  close(): Promise<void>;
}

const audience = "https://berth.test/api";
const scopes = "openid profile email";

interface SigningKey {
  readonly key: CryptoKey;
  readonly jwk: JWK;
}

export async function startIdentityProvider(options: {
  readonly redirectUris: () => readonly string[];
  readonly person: IdpPerson;
}): Promise<IdentityProvider> {
  let handler: (request: IncomingMessage, response: ServerResponse) => Promise<void> = async () => {};
  let keyFetches = 0;
  const server = createServer((request, response) => {
    if (request.url === "/jwks") keyFetches += 1;
    void handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let signing = await newKey();
  const idp = {
    issuer,
    clientId: "berth",
    clientSecret: "the-secret-of-the-tests-0123456789",
    audience,
    person: options.person,
    get keyFetches() {
      return keyFetches;
    },
    async rotateKeys() {
      signing = await newKey();
      handler = handlerOf(idp, signing.jwk, options.redirectUris());
    },
    async forge(claims: Readonly<Record<string, unknown>>, header: Readonly<Record<string, unknown>> = {}) {
      const kid = signing.jwk.kid ?? "";
      return new SignJWT({ ...claims })
        .setProtectedHeader({ alg: "RS256", kid, ...header })
        .sign(signing.key, { crit: { "urn:x": true } });
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  handler = handlerOf(idp, signing.jwk, options.redirectUris());
  return idp;
}

async function newKey(): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const kid = Math.random().toString(36).slice(2);
  return { key: privateKey, jwk: { ...(await exportJWK(privateKey)), kid, use: "sig", alg: "RS256" } };
}

/** A provider with one client, one key and nobody to ask. */
function handlerOf(idp: IdentityProvider, jwk: JWK, redirectUris: readonly string[]) {
  const { clientId, clientSecret, issuer } = idp;
  const provider: Provider = new Provider(issuer, {
    clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [...redirectUris] }],
    jwks: { keys: [jwk] },
    cookies: { keys: ["of the tests"] },
    pkce: { required: () => true },
    claims: { openid: ["sub", "org", "groups"], profile: ["name"], email: ["email", "email_verified"] },
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => [],
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: "api",
          audience,
          accessTokenFormat: "jwt",
          accessTokenTTL: 600,
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
    formats: {
      customizers: {
        jwt: (_: unknown, __: unknown, jwt: { payload: Record<string, unknown> }) => {
          jwt.payload["nbf"] = jwt.payload["iat"];
          Object.assign(jwt.payload, { name: idp.person.name, email: idp.person.email }, idp.person.claims);
          return jwt;
        },
      },
    },
    findAccount: (_: unknown, sub: string) => ({
      accountId: sub,
      claims: () => ({
        sub,
        name: idp.person.name,
        email: idp.person.email,
        email_verified: true,
        ...idp.person.claims,
      }),
    }),
    extraClientMetadata: { properties: [] },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    async loadExistingGrant(context: {
      oidc: { session: { accountId: string }; client: { clientId: string }; params: { resource?: string } };
    }) {
      const { session, client } = context.oidc;
      const grant = new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
      grant.addOIDCScope(scopes);
      grant.addResourceScope(audience, "api");
      await grant.save();
      return grant;
    },
  });
  const callback = provider.callback();
  return async (request: IncomingMessage, response: ServerResponse) => {
    if (!request.url?.startsWith("/interaction/")) return callback(request, response);
    await provider.interactionFinished(request, response, { login: { accountId: idp.person.sub } });
  };
}
