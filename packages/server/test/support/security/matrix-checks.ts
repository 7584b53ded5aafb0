import type { Endpoint } from "../../../src/http/endpoint.ts";
import { ask, forNobody, mayAs, requestFor, targetOf, withoutIds } from "./ask-endpoint.ts";
import type { Seen } from "./call.ts";
import type { Row } from "./matrix-row.ts";
import { rowsOfOrg } from "./rows-of-org.ts";
import { roles } from "./tenant.ts";
import type { World } from "./world.ts";

/** An endpoint of the API and its row. */
export interface Attacked {
  readonly endpoint: Endpoint;
  readonly row: Row;
}

// Each check attacks one endpoint and returns what it found to be wrong, in words: "" is good.

const told = (who: string, { status, text }: Seen) => `${who} got ${status} ${text.slice(0, 400)}`;
const isForbidden = ({ status, code }: Seen) => status === 403 && code === "forbidden";

/** Who may gets an answer, and who may not is refused, each in its own organization; nobody sees anything of the other. */
export async function answersRoles(world: World, { endpoint, row }: Attacked): Promise<string> {
  const wrong: string[] = [];
  const target = targetOf(world, world.a);
  for (const role of roles) {
    const given = await requestFor(row, target);
    const seen = await ask(world, endpoint, { key: world.a.people[role].key, given });
    const refused = row.hidden === true ? seen.status === 404 : isForbidden(seen);
    const right = mayAs(row, role) ? row.ok.includes(seen.status) : refused;
    if (!right || seen.text.includes(world.b.mark)) wrong.push(told(role, seen));
  }
  const given = await requestFor(row, targetOf(world, world.home));
  const seen = await ask(world, endpoint, { key: world.adminKey, given });
  if (!row.ok.includes(seen.status)) wrong.push(told("operator", seen));
  return wrong.join("\n");
}

/** Whoever has no credential, or one that is over, forged or cut, gets the same 401. */
export async function refusesStrangers(world: World, { endpoint, row }: Attacked): Promise<string> {
  const given = await requestFor(row, targetOf(world, world.a));
  const forged = `${world.a.people.admin.key.slice(0, -4)}AAAA`;
  const wrong: string[] = [];
  for (const key of [null, world.a.expired, world.a.revoked, forged, "brt_x", "shr_x"]) {
    const seen = await ask(world, endpoint, { key, given });
    if (seen.status !== 401 || seen.code !== "unauthenticated") wrong.push(told(String(key), seen));
  }
  return wrong.join("\n");
}

/** What belongs to B is answered to A, and to an outsider, like what there is not; and nothing of B changes. */
export async function knowsNothing(world: World, { endpoint, row }: Attacked): Promise<string> {
  const theirs = await requestFor(row, targetOf(world, world.b));
  const nobodys = forNobody(theirs);
  const before = JSON.stringify(rowsOfOrg(world.dataDir, world.b.orgId));
  const wrong: string[] = [];
  const seats = [...roles.map((role) => world.a.people[role]), world.outsider.people.admin];
  for (const key of [...seats.map((seat) => seat.key), world.a.things.linkToken]) {
    const seen = await ask(world, endpoint, { key, given: theirs });
    if (seen.text.includes(world.b.mark)) wrong.push(told("somebody of another organization", seen));
    if (nobodys.names.size === 0) continue;
    const compared = await ask(world, endpoint, { key, given: nobodys.given });
    if (withoutIds(seen) !== withoutIds(compared))
      wrong.push(told("of B", seen), told("of nobody", compared));
    if (seen.status !== 404 && seen.status !== 403) wrong.push(told("for what is B's", seen));
  }
  if (JSON.stringify(rowsOfOrg(world.dataDir, world.b.orgId)) !== before)
    wrong.push("something of B changed");
  return wrong.join("\n");
}

/** The operator, in an organization that is not its own, does what its row says and nothing else. */
export async function runsOthers(world: World, { endpoint, row }: Attacked): Promise<string> {
  const given = await requestFor(row, targetOf(world, world.b));
  const headers = { "x-berth-org": world.b.slug };
  const seen = await ask(world, endpoint, { key: world.adminKey, given, headers });
  const right = row.abroad === true ? row.ok.includes(seen.status) : seen.status === 403;
  return right ? "" : told("the operator abroad", seen);
}

/** A share link opens its own session for reading, no other session, and nothing else. */
export async function opensByLink(world: World, { endpoint, row }: Attacked): Promise<string> {
  const given = await requestFor(row, targetOf(world, world.a));
  const key = world.a.things.linkToken;
  const seen = await ask(world, endpoint, { key, given });
  if (row.link !== true) return isForbidden(seen) ? "" : told("the link", seen);
  const other = { ...given, params: { ...given.params, sessionId: world.a.things.askingSessionId } };
  const elsewhere = await ask(world, endpoint, { key, given: other });
  if (!row.ok.includes(seen.status)) return told("the link", seen);
  return elsewhere.status === 404 ? "" : told("the link, for another session,", elsewhere);
}

/** Fields by which a body could say whose something is, or what somebody may. */
const taken = ["orgId", "org_id", "userId", "role", "isAdmin", "permissions", "createdAt", "quota", "id"];

/** A field that the body's schema does not name is refused, whoever sends it. */
export async function refusesMore(world: World, { endpoint, row }: Attacked): Promise<string> {
  const wrong: string[] = [];
  for (const field of taken) {
    const given = await requestFor(row, targetOf(world, world.a));
    const named = (given.body ?? {}) as Record<string, unknown>;
    if (field in named) continue;
    const body = { ...named, [field]: world.b.orgId };
    const seen = await ask(world, endpoint, { key: world.a.people.owner.key, given: { ...given, body } });
    const refused = seen.status === 422 && seen.code === "validation_failed";
    if (!refused && !isForbidden(seen)) wrong.push(told(field, seen));
  }
  return wrong.join("\n");
}
