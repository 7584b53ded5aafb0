import type { SandboxAllocationStrategy } from "@berth/contract";
import { newId } from "../../lib/id.ts";
import type { Reserve, SandboxKey, SandboxOwner, SandboxRecord } from "../sandboxes.ts";
import { auditDraft } from "./audit.conformance.ts";
import type { Scene } from "./scene.conformance.ts";

export const minute = 60_000;
export const audit = () => auditDraft({ action: "sandbox.allocated" });

export async function ownerIn(
  scene: Scene,
  change: { readonly userId?: string; readonly strategy?: SandboxAllocationStrategy } = {},
): Promise<SandboxOwner> {
  const { userId = "usr_1", strategy = "Session-Exclusive" } = change;
  const { id } = await scene.create({ owner: userId });
  return { orgId: scene.orgId, userId, sessionId: id, strategy };
}

function newKey(): SandboxKey {
  return { id: newId("sandbox"), incarnation: newId("request") };
}

/** Of one scene: another's warm sandboxes are of another template. */
export function fresh(scene: Scene) {
  return {
    ...newKey(),
    deployment: "dep_1",
    provider: "fake",
    template: `t_${scene.orgId}`,
    ownerInstance: "one",
    policy: { limits: {} },
    maxLifeMs: 240 * minute,
    idleTtlMs: 15 * minute,
  };
}

export function reserve(scene: Scene, owner: SandboxOwner, change: Partial<Reserve> = {}) {
  return scene.store.system.sandboxes.reserve({
    ...fresh(scene),
    owner,
    workspaceId: "wsp_1",
    host: "local",
    warm: true,
    perUser: 5,
    perOrg: 50,
    ...change,
  });
}

export function activate(scene: Scene, owner: SandboxOwner, { id, incarnation }: SandboxKey) {
  const given = { owner, orgId: scene.orgId, url: "local:1", policy: { limits: {} }, maxLifeMs: minute };
  const change = { id, incarnation, ...given, allocationId: newId("allocation"), audit: audit() };
  return scene.store.system.sandboxes.activate(change);
}

/** An active one of its own for a session. */
export async function active(scene: Scene, owner: SandboxOwner): Promise<SandboxRecord> {
  const { system } = scene.store;
  const reserved = await reserve(scene, owner);
  if (reserved.kind !== "new") throw new Error(`not new: ${reserved.kind}`);
  const { id, incarnation } = reserved.record;
  await system.sandboxes.move({ id, incarnation, from: ["requested"], to: "creating", host: "local" });
  const record = await activate(scene, owner, { id, incarnation });
  if (record === null) throw new Error("not activated");
  return record;
}

export async function warm(scene: Scene): Promise<SandboxKey> {
  const { sandboxes } = scene.store.system;
  const key = newKey();
  await sandboxes.reserveWarm({ ...fresh(scene), ...key, host: "local", most: 100 });
  await sandboxes.move({ ...key, from: ["requested"], to: "warm" });
  return key;
}

export const destroying = (key: SandboxKey) =>
  ({ id: key.id, incarnation: key.incarnation, from: ["active"], to: "destroying", reason: "idle" }) as const;
