import type { Endpoint } from "../../../src/http/endpoint.ts";
import { newId } from "../../../src/lib/id.ts";
import type { Seen } from "./call.ts";
import type { Given, Row, Target } from "./matrix-row.ts";
import { roles, type SeatRole } from "./tenant.ts";
import { maker } from "./things.ts";
import type { Home, World } from "./world.ts";

/** An id as the API gives them. */
const idShape = /\b([a-z]{3})_[0-7][0-9a-hjkmnp-tv-z]{25}\b/g;
const idKinds: Readonly<Record<string, Parameters<typeof newId>[0]>> = {
  org: "org",
  usr: "user",
  sva: "serviceAccount",
  key: "apiKey",
  inv: "invitation",
  shr: "shareLink",
  ses: "session",
  run: "run",
  apr: "approval",
  agt: "agent",
  aud: "audit",
  exp: "export",
  rct: "receipt",
  bud: "budget",
};

export function targetOf(world: World, home: Home): Target {
  return {
    home,
    world,
    async make(role, method, path, body) {
      const made = await maker(world.call, home.people[role].key)(method, path, body);
      return made as unknown as Readonly<Record<string, string>>;
    },
  };
}

/** A right request of an endpoint for what an organization has. */
export async function requestFor(row: Row, target: Target): Promise<Given> {
  return (await row.given?.(target)) ?? {};
}

/** The same request for things that nobody has. */
export function forNobody(given: Given): { given: Given; names: ReadonlyMap<string, string> } {
  const names = new Map<string, string>();
  const swap = (text: string) =>
    text.replaceAll(idShape, (id, prefix: string) => {
      const unknown = names.get(id) ?? newId(idKinds[prefix] ?? "request");
      names.set(id, unknown.replace(/^[a-z]+/, prefix));
      return names.get(id) ?? id;
    });
  const params = Object.fromEntries(
    Object.entries(given.params ?? {}).map(([name, value]) => [name, swap(value)]),
  );
  return { given: { ...given, params }, names };
}

/** Sends a request to an endpoint. */
export function ask(
  world: World,
  endpoint: Endpoint,
  { key, given, headers }: { key: string | null; given: Given; headers?: Readonly<Record<string, string>> },
): Promise<Seen> {
  const path = endpoint.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(given.params?.[name] ?? ""),
  );
  const query = given.query === undefined ? "" : `?${given.query}`;
  return world.call(key, {
    method: endpoint.method.toUpperCase(),
    path: `${path}${query}`,
    ...(given.body !== undefined && { body: given.body }),
    headers: { ...given.headers, ...headers },
  });
}

/** What a reply says but for ids, so that two can be compared. */
export function withoutIds({ status, text }: Pick<Seen, "status" | "text">): string {
  return `${status} ${text.replaceAll(idShape, "$1_…").replaceAll(/"requestId":"[^"]*"/g, "")}`;
}

/** Whether somebody of this role may, by the row. */
export function mayAs({ may }: Row, role: SeatRole): boolean {
  if (may === "open" || may === "anyone") return true;
  return may !== "operator" && roles.indexOf(role) <= roles.indexOf(may);
}
