import { z } from "zod";
import { idSchema, timestamp } from "./id.ts";
import { email, password, personName } from "./user.ts";

const place = z.strictObject({ id: idSchema("org"), slug: z.string(), name: z.string() });

export const loginBody = z.strictObject({
  email,
  password,
  org: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe("id or slug of where to go; default: the first organization that the person is in"),
});
export type LoginBody = z.infer<typeof loginBody>;

/** Who is logged in now, and where. */
export const currentLogin = z.strictObject({
  id: idSchema("login"),
  user: z.strictObject({ id: idSchema("user"), name: z.string(), email: z.string().nullable() }),
  org: place,
  orgs: z.array(place.extend({ role: z.string() })).describe("where the person may go with POST /login/org"),
  expiresAt: timestamp.describe("the end of the login when nothing is done with it until then"),
});
export type CurrentLogin = z.infer<typeof currentLogin>;

export const startedLogin = currentLogin.extend({
  csrfToken: z.string().describe("send it as X-CSRF-Token with whatever changes something"),
});
export type StartedLogin = z.infer<typeof startedLogin>;

export const moveLoginBody = z.strictObject({
  org: z.string().min(1).max(64).describe("id or slug"),
});
export type MoveLoginBody = z.infer<typeof moveLoginBody>;

export const loginMethods = z.strictObject({
  password: z.boolean().describe("whether POST /login takes an email and a password"),
  providers: z
    .array(z.strictObject({ name: z.string(), label: z.string(), path: z.string() }))
    .describe("identity providers; a browser goes to the path"),
});
export type LoginMethods = z.infer<typeof loginMethods>;

export const setUpOwnerBody = z.strictObject({ email, name: personName, password });
export type SetUpOwnerBody = z.infer<typeof setUpOwnerBody>;
