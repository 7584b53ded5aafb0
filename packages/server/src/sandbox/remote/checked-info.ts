import type { z } from "zod";
import { BerthError } from "../../lib/errors.ts";
import type { info } from "../protocol/shapes.ts";
import type { SandboxInfo, SandboxList, SandboxRef } from "../sandbox.ts";
import type { HostAddress } from "../../lib/host-address.ts";
import { addressOf } from "./base-url.ts";

type Told = z.infer<typeof info>;

/** What a host told of a sandbox, if it is about that sandbox and that life of it. Throws `sandbox_host_error`. */
export function checkedInfo(
  address: HostAddress,
  { id, host }: SandboxRef,
  told: Told,
  incarnation?: string,
): SandboxInfo {
  if (told.id !== id) throw wrong(address, "answered for another sandbox");
  if (incarnation !== undefined && told.incarnation !== incarnation) {
    throw wrong(address, "answered for another incarnation of a sandbox");
  }
  const url = addressOf(address, { on: "sandbox", name: "get", id });
  return { ...told, host, url: url.href.slice(0, -"/get".length) };
}

/** All of a deployment; a host that mixes up deployments or names one twice is not believed at all. */
export function checkedList(
  address: HostAddress,
  deployment: string,
  { items, unreadable }: { readonly items: readonly Told[]; readonly unreadable: number },
): SandboxList {
  if (items.some((item) => item.deployment !== deployment)) {
    throw wrong(address, "listed sandboxes of another deployment");
  }
  if (new Set(items.map(({ id }) => id)).size !== items.length)
    throw wrong(address, "listed a sandbox twice");
  const host = address.name;
  return { items: items.map((item) => checkedInfo(address, { id: item.id, host }, item)), unreadable };
}

function wrong({ name }: HostAddress, what: string): BerthError {
  return new BerthError("sandbox_host_error", `Sandbox host ${name} ${what}.`, { retryable: true });
}
