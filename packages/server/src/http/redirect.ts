import { z } from "zod";
import type { Redirect } from "../auth/oidc-login.ts";

export const providerPath = z.strictObject({ provider: z.string().describe("the provider's name") });

export function redirect({ location, cookies }: Redirect): Response {
  const headers = new Headers({ location });
  for (const cookie of cookies) headers.append("set-cookie", cookie);
  return new Response(null, { status: 302, headers });
}
