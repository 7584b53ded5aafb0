import type { LoginRecord } from "../auth/logins.ts";
import { BerthError } from "../lib/errors.ts";
import type { Call } from "./endpoint.ts";
import { loginDoors } from "./login-doors.ts";
import { presentedOf } from "./presented.ts";

/** The login of who calls with a cookie. Rejects with `not_logged_in` for who calls with anything else. */
export async function requireLogin(
  call: Pick<Call, "context" | "principal" | "request">,
): Promise<LoginRecord> {
  const { context, principal, request } = call;
  const isCookie = principal.credential.kind === "cookie";
  const login = isCookie ? await loginDoors(context).logins.find(presentedOf(request)) : null;
  if (login !== null) return login;
  throw new BerthError(
    "not_logged_in",
    "This is for people who are logged in in a browser: who calls with a key says with X-Berth-Org where.",
  );
}
