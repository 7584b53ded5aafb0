import type { LoginDoors } from "../auth/login-doors.ts";
import type { OidcLogin } from "../auth/oidc-login.ts";
import { BerthError } from "../lib/errors.ts";
import type { HttpContext } from "./context.ts";

/** How people log in here. Throws `login_off` when they do not. */
export function loginDoors({ login }: HttpContext): LoginDoors {
  if (login === null) throw loginOff();
  return login;
}

/** Throws `login_off` when people log in at no identity provider. */
export function oidcLogin(context: HttpContext): OidcLogin {
  const { oidc } = loginDoors(context);
  if (oidc === null) throw loginOff();
  return oidc;
}

export function loginOff(): BerthError {
  return new BerthError(
    "login_off",
    "Nobody logs in this way here: GET /api/v1/login/methods tells which ways there are.",
  );
}
