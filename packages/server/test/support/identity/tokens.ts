import * as client from "openid-client";
import { createBrowserRobot } from "./browser-robot.ts";
import type { IdentityProvider } from "./identity-provider.ts";

/** Where the tests' own client gets its codes: nobody listens there. */
export const robotRedirect = "http://127.0.0.1:9/callback";

/** An access token for our API, as a program of the person gets it: by a code, with PKCE. */
export async function accessTokenFrom(idp: IdentityProvider): Promise<string> {
  const config = await client.discovery(new URL(idp.issuer), idp.clientId, idp.clientSecret, undefined, {
    execute: [client.allowInsecureRequests],
  });
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const start = client.buildAuthorizationUrl(config, {
    redirect_uri: robotRedirect,
    scope: "openid api",
    resource: idp.audience,
    state,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  });
  const { url } = await createBrowserRobot().follow(start.href, ({ href }) => href.startsWith(robotRedirect));
  const tokens = await client.authorizationCodeGrant(
    config,
    url,
    { pkceCodeVerifier: verifier, expectedState: state },
    { resource: idp.audience },
  );
  return tokens.access_token;
}
