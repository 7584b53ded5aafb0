import type { Configuration } from "openid-client";
import type { Secret } from "../lib/secret.ts";
import type { ClaimRules, Claims } from "./claims.ts";

/** A provider where people log in. */
export interface OidcProvider extends ClaimRules {
  /** In our addresses. */
  readonly name: string;
  /** For people. */
  readonly label: string;
  readonly issuer: string;
  readonly clientId: string;
  /** Null: a public client, that PKCE alone protects. */
  readonly clientSecret: Secret | null;
  readonly scopes: readonly string[];
}

/** What has to come back from the provider as it was sent there. */
export interface OidcFlow {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** Speaks with one provider; learns where it is when it is first asked. */
export interface OidcClient {
  /** Where to send the browser. Rejects when the provider does not answer. */
  begin(redirectUri: string): Promise<{ readonly location: string; readonly flow: OidcFlow }>;
  /** Who came back. Rejects when the answer is not the one to that flow, or the provider does not confirm it. */
  finish(callback: URL, flow: OidcFlow): Promise<Claims>;
}

const timeoutSeconds = 10;
/** Loaded by the first login: a server at rest has no use for it. */
const openid = () => import("openid-client");

export function createOidcClient(provider: OidcProvider): OidcClient {
  let configuration: Promise<Configuration> | null = null;

  /** What failed is tried again by the next who asks. */
  function configured(): Promise<Configuration> {
    configuration ??= discover(provider).catch((error: unknown) => {
      configuration = null;
      throw error;
    });
    return configuration;
  }

  return {
    async begin(redirectUri) {
      const [config, client] = await Promise.all([configured(), openid()]);
      const verifier = client.randomPKCECodeVerifier();
      const flow = { state: client.randomState(), nonce: client.randomNonce(), verifier };
      const location = client.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: provider.scopes.join(" "),
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
        state: flow.state,
        nonce: flow.nonce,
      });
      return { location: location.href, flow };
    },

    async finish(callback, { state, nonce, verifier }) {
      const [config, client] = await Promise.all([configured(), openid()]);
      const tokens = await client.authorizationCodeGrant(config, callback, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (claims === undefined) throw new Error("the provider gave no ID token");
      const asks = config.serverMetadata().userinfo_endpoint !== undefined;
      const more = asks ? await client.fetchUserInfo(config, tokens.access_token, claims.sub) : {};
      return { ...more, ...claims };
    },
  };
}

async function discover(provider: OidcProvider): Promise<Configuration> {
  const { issuer, clientId, clientSecret } = provider;
  const isPlain = issuer.startsWith("http:");
  const client = await openid();
  const config = await client.discovery(
    new URL(issuer),
    clientId,
    undefined,
    clientSecret === null ? client.None() : client.ClientSecretBasic(clientSecret.reveal()),
    {
      timeout: timeoutSeconds,
      execute: [
        // The ID token's signature is checked though it comes from the provider itself.
        client.enableNonRepudiationChecks,
        // The configuration lets only providers of this machine be without TLS.
        ...(isPlain ? [client.allowInsecureRequests] : []),
      ],
    },
  );
  const found = config.serverMetadata().issuer;
  if (found !== issuer) throw new Error(`the discovery document of ${issuer} is that of ${found}`);
  return config;
}
