import type { ChangePasswordBody, Page, UpdateUserBody, User, UserLogin } from "@berth/contract";
import type { Http } from "../http.ts";
import type { CallOptions, ChangeOptions } from "../pages.ts";
import { callsOf } from "./calls.ts";

/** The caller's own account. */
export function createAccount(http: Http) {
  const calls = callsOf(http);

  return {
    get: (options: CallOptions = {}): Promise<User> => calls.get("/users/me", options),
    update: (body: UpdateUserBody, options: ChangeOptions = {}): Promise<User> =>
      calls.patch("/users/me", body, options),
    /** Ends every other login. Rejects with codes `wrong_password` or `weak_password`. */
    changePassword: (body: ChangePasswordBody, options: ChangeOptions = {}): Promise<void> =>
      calls.put("/users/me/password", body, options),
    logins: (options: CallOptions = {}): Promise<Page<UserLogin>> => calls.get("/users/me/logins", options),
    /** One of them, or all but the one that asks. */
    endLogin: (id: string | null, options: ChangeOptions = {}): Promise<void> =>
      calls.delete(id === null ? "/users/me/logins" : `/users/me/logins/${encodeURIComponent(id)}`, options),
  };
}
