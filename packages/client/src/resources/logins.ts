import type {
  CurrentLogin,
  LoginBody,
  LoginMethods,
  Member,
  MoveLoginBody,
  SetUpOwnerBody,
  StartedLogin,
} from "@berth/contract";
import type { Http } from "../http.ts";
import type { CallOptions, ChangeOptions } from "../pages.ts";
import { callsOf } from "./calls.ts";

/** How people log in in browsers, where the cookie goes along by itself. Programs use keys. */
export function createLogins(http: Http) {
  const calls = callsOf(http);

  return {
    methods: (options: CallOptions = {}): Promise<LoginMethods> => calls.get("/login/methods", options),
    /** Rejects with code `login_refused` or `too_many_attempts`. */
    logIn: (body: LoginBody, options: ChangeOptions = {}): Promise<StartedLogin> =>
      calls.post("/login", body, options),
    current: (options: CallOptions = {}): Promise<CurrentLogin> => calls.get("/login", options),
    /** Goes to another organization. Rejects with code `org_not_found`. */
    moveTo: (body: MoveLoginBody, options: ChangeOptions = {}): Promise<CurrentLogin> =>
      calls.post("/login/org", body, options),
    logOut: (options: ChangeOptions = {}): Promise<void> => calls.post("/logout", {}, options),
    /** The first owner of a new server. Rejects with code `owner_exists`. */
    setUpOwner: (body: SetUpOwnerBody, options: ChangeOptions = {}): Promise<Member> =>
      calls.post("/setup/owner", body, options),
  };
}
