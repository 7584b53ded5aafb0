import { createHmac } from "node:crypto";
import type { AuditCut, AuditHead, AuditRecord, AuditSeal } from "../store/audit.ts";

// Each entry's MAC covers what it says and the MAC of the entry before, under a key that the store does not hold. Name, address
// and details come in by MACs of their own, so that they can be blanked when a person is erased and the chain still holds.

/** The seals of entries that follow a head, in their order. */
export function sealEntries(
  key: Buffer,
  head: AuditHead | null,
  entries: readonly AuditRecord[],
): readonly ({ readonly id: string } & AuditSeal)[] {
  let { number, mac: previous } = head ?? { number: 0, mac: "" };
  return entries.map((entry) => {
    number += 1;
    const parts = { number, previous, personMac: personMac(key, entry), detailsMac: detailsMac(key, entry) };
    const seal = { id: entry.id, ...parts, mac: entryMac(key, entry, parts) };
    previous = seal.mac;
    return seal;
  });
}

/** Says that a log begins after an entry, because those up to it were removed with intent. */
export function sealCut(key: Buffer, orgId: string, cut: Omit<AuditCut, "seal">): AuditCut {
  return { ...cut, seal: mac(key, "cut", [orgId, cut.number, cut.mac, cut.at]) };
}

export function isOwnCut(key: Buffer, orgId: string, cut: AuditCut): boolean {
  return sealCut(key, orgId, cut).seal === cut.seal;
}

/** Whether an entry says what it said when it was sealed, at the place that `place` names. */
export function saysWhatItSaid(
  key: Buffer,
  entry: AuditRecord,
  place: Pick<AuditSeal, "number" | "previous">,
): boolean {
  const { seal } = entry;
  if (seal === null) return false;
  const { personMac: person, detailsMac: details } = seal;
  if (entryMac(key, entry, { ...place, personMac: person, detailsMac: details }) !== seal.mac) return false;
  if (detailsMac(key, entry) !== details && !(entry.erased && Object.keys(entry.details).length === 0)) {
    return false;
  }
  return personMac(key, entry) === person || isBlank(entry);
}

function isBlank({ erased, actor, address }: AuditRecord): boolean {
  return erased && actor.name === "" && address === null;
}

function entryMac(key: Buffer, entry: AuditRecord, place: Omit<AuditSeal, "mac">): string {
  const { orgId, id, at, actor, credential, action, target, outcome, requestId } = entry;
  return mac(key, "entry", [
    orgId,
    place.number,
    place.previous,
    id,
    at,
    actor.type,
    actor.id,
    credential,
    action,
    target?.type ?? null,
    target?.id ?? null,
    outcome,
    requestId,
    place.personMac,
    place.detailsMac,
  ]);
}

function personMac(key: Buffer, { orgId, id, actor, address }: AuditRecord): string {
  return mac(key, "person", [orgId, id, actor.name, address]);
}

/** In the order of the stored text: what was read is what was written. */
function detailsMac(key: Buffer, { orgId, id, details }: AuditRecord): string {
  return mac(key, "details", [orgId, id, JSON.stringify(details)]);
}

/** What is said is told apart by its kind, so that no MAC of one kind is one of another. */
function mac(key: Buffer, kind: string, said: readonly (string | number | null)[]): string {
  return createHmac("sha256", key)
    .update(JSON.stringify([`berth audit ${kind} 1`, ...said]))
    .digest("hex");
}
