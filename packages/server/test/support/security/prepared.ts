import { newId } from "../../../src/lib/id.ts";
import type { Target } from "./matrix-row.ts";
import { as, join, made } from "./people.ts";
import { firstApproval } from "./things.ts";

// Things that a request of an endpoint can really do something to.

export const word = () => newId("request").slice(-12);
export const password = "a long enough password";

export async function session(target: Target, body: object = {}): Promise<string> {
  const { id = "" } = await target.make("owner", "POST", "/sessions", { agent: "helper", ...body });
  return id;
}

/** One that its worker gave up. */
export async function quarantined(target: Target): Promise<{ params: { sessionId: string } }> {
  const sessionId = await session(target);
  const { system } = target.world.store;
  const workerId = newId("worker");
  await system.heartbeat(workerId);
  const ref = { orgId: target.home.orgId, sessionId };
  const claimed = await system.claim({ ...ref, workerId, leaseMs: 60_000, knownEventVersion: 99 });
  if (!claimed.ok) throw new Error(claimed.reason);
  await system.quarantine({ ...ref, epoch: claimed.epoch });
  return { params: { sessionId } };
}

/** One that is in memory; a fresh one each time, as it may be busy. */
export async function live(target: Target): Promise<{ params: { sessionId: string } }> {
  const sessionId = await session(target, { input: "hi" });
  const { store } = target.world;
  const runs = () => store.org(target.home.orgId).listRuns({ sessionId, limit: 1 });
  while ((await runs()).items[0]?.finishedAt == null) await new Promise((resolve) => setTimeout(resolve, 10));
  return { params: { sessionId } };
}

export async function waiting(target: Target) {
  const input = `call act ${JSON.stringify({ say: "x" })}`;
  const sessionId = await session(target, { agent: "careful", input });
  const approvalId = await firstApproval(target.world.call, target.home.people.owner.key, sessionId);
  return { params: { approvalId }, body: { decision: "deny" } };
}

/** Somebody new, with a password. */
export async function person(target: Target): Promise<{ email: string; userId: string }> {
  const email = `${word()}@people.example`;
  const { world, home } = target;
  const { userId } = await join(world, as(world, home.people.owner.key), { email, password });
  return { email, userId };
}

export async function loggedIn(target: Target, known?: string) {
  const email = known ?? (await person(target)).email;
  const { world } = target;
  const reply = await as(world, null).post("/login", { email, password });
  const cookies = reply.headers.getSetCookie().map((line) => line.split(";")[0] ?? "");
  const { csrfToken } = made<{ csrfToken: string }>(reply);
  const headers = { cookie: cookies.join("; "), "x-csrf-token": csrfToken, origin: world.url };
  return { email, headers };
}

export async function exported(target: Target): Promise<{ params: { exportId: string } }> {
  const found = await as(target.world, target.home.people.owner.key).get("/exports");
  const [known] = made<{ items: { id: string }[] }>(found, 200).items;
  if (known !== undefined) return { params: { exportId: known.id } };
  const { id = "" } = await target.make("owner", "POST", "/exports", { scope: "user" });
  return { params: { exportId: id } };
}

/** Something in a list of the user's configuration. */
export const config =
  (list: "sharedLinks" | "customSpFragments", path: string, body: object) => async (target: Target) => {
    const owner = as(target.world, target.home.people.owner.key);
    await owner.post(`/user-config/${path}`, body);
    const found = await owner.get("/user-config");
    const items = made<Readonly<Record<typeof list, readonly { id: string }[]>>>(found, 200)[list];
    return { query: `id=${items.at(-1)?.id}` };
  };
