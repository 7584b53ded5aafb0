import type { CreateApiKeyReply, CreateInvitationReply } from "@berth/contract";
import type { Ask, Seen } from "./call.ts";
import type { World } from "./world.ts";

/** The API as one caller sees it: paths below `/api/v1`, replies as JSON. */
export function as(world: World, key: string | null, headers: Readonly<Record<string, string>> = {}) {
  const ask = (request: Ask) => world.call(key, { ...request, headers: { ...headers, ...request.headers } });
  const send =
    (method: string) =>
    (path: string, body?: unknown): Promise<Seen> =>
      ask({ method, path: `/api/v1${path}`, ...(body !== undefined && { body }) });
  return {
    get: send("GET"),
    post: send("POST"),
    put: send("PUT"),
    patch: send("PATCH"),
    delete: send("DELETE"),
    ask,
  };
}

export type Caller = ReturnType<typeof as>;

/** The reply's JSON, when it has the status that is expected; as who reads it says, checked when they give a schema. */
export function made<T>(seen: Seen, status = 201, schema?: { parse(value: unknown): T }): T {
  if (seen.status !== status) throw new Error(`answered ${seen.status}: ${seen.text}`);
  const value: unknown = JSON.parse(seen.text);
  return schema === undefined ? (value as T) : schema.parse(value);
}

/** Invites somebody as `inviter` says, and has the invitation taken. */
export async function join(
  world: World,
  inviter: Caller,
  who: { readonly email: string; readonly role?: string; readonly password: string },
): Promise<{ readonly userId: string; readonly invitation: CreateInvitationReply }> {
  const { email, role = "member", password } = who;
  const reply = await inviter.post("/invitations", { kind: "join", email, role });
  const invitation = made<CreateInvitationReply>(reply);
  world.canaries.keep(`invitation of ${email}`, invitation.token);
  const accepted = await as(world, null).post("/invitations/accept", { token: invitation.token, password });
  return { userId: made<{ userId: string }>(accepted, 200).userId, invitation };
}

/** Somebody who has logged in with a password: a caller with the cookie and its token. */
export async function loggedIn(
  world: World,
  who: { readonly email: string; readonly password: string; readonly org?: string },
): Promise<Caller> {
  const reply = await as(world, null).post("/login", who);
  const cookies = reply.headers.getSetCookie().map((line) => line.split(";")[0] ?? "");
  const { csrfToken } = made<{ csrfToken: string }>(reply);
  return as(world, null, { cookie: cookies.join("; "), "x-csrf-token": csrfToken, origin: world.url });
}

/** A key that `maker` makes. */
export async function newKey(
  world: World,
  maker: Caller,
  body: Readonly<Record<string, unknown>>,
): Promise<CreateApiKeyReply> {
  const reply = made<CreateApiKeyReply>(await maker.post("/api-keys", { name: "of the tests", ...body }));
  world.canaries.keep(`key ${reply.id}`, reply.key);
  return reply;
}
