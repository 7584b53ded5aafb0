import type { Bus } from "../coordination/bus.ts";

const topic = "auth";

/** Something changed that decides what a principal may do. Null: it is not said in which organization. */
export interface AuthHint {
  readonly orgId: string | null;
}

/** Tells every process that keys, roles, members, sharing or the like changed: what was remembered is dropped, streams are looked at again. */
export function hintAuth(bus: Bus, orgId: string | null): void {
  bus.publish(topic, { orgId } satisfies AuthHint);
}

/** Calls for each hint until the returned function is called. */
export function onAuthHint(bus: Bus, call: (hint: AuthHint) => void): Promise<() => void> {
  return bus.subscribe(topic, (frame) => call(hintOf(frame)));
}

function hintOf(frame: unknown): AuthHint {
  const orgId: unknown = typeof frame === "object" && frame !== null ? Reflect.get(frame, "orgId") : null;
  return { orgId: typeof orgId === "string" ? orgId : null };
}
