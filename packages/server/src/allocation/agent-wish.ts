import type { AgentSandbox } from "@berth/contract";
import { BerthError } from "../lib/errors.ts";
import type { Secret } from "../lib/secret.ts";
import type { EgressSecret } from "../sandbox/sandbox.ts";
import type { SandboxWish } from "./session-sandboxes.ts";

/** A secret of an organization that its sandboxes may use. */
export interface UsableSecret {
  readonly value: Secret;
  /** Where it may be sent, as rules of egress write hosts. */
  readonly hosts: readonly string[];
  /** Stands for the secret in one use of it. */
  placeholder(use: string): string;
}

/** Whose sandbox it is: what the secrets of one user's sandboxes are called there stays the same. */
interface SecretUse {
  readonly orgId: string;
  readonly owner: string;
}

export type OpenSecret = (place: {
  readonly orgId: string;
  readonly name: string;
}) => Promise<UsableSecret | null>;

const mebibyte = 1024 * 1024;

/** What an agent says of its sandbox in its definition, without what needs secrets. */
export function plainWish({
  strategy,
  memory,
  cpus,
  disk,
}: AgentSandbox): Pick<SandboxWish, "strategy" | "limits"> {
  const limits = {
    ...(memory !== undefined && { memoryBytes: memory * mebibyte }),
    ...(cpus !== undefined && { cpus }),
    ...(disk !== undefined && { diskBytes: disk * mebibyte }),
  };
  return { ...(strategy !== undefined && { strategy }), limits };
}

/** All that an agent wants of its sandbox. Rejects as `egressWish` does. */
export async function agentWish(
  sandbox: AgentSandbox,
  use: SecretUse & { readonly open: OpenSecret },
): Promise<SandboxWish> {
  return { ...plainWish(sandbox), ...(await egressWish(sandbox, use)) };
}

/**
 * What an agent's sandbox may reach, with the secrets that the proxy puts in, and the variables that hold their placeholders. Rejects
 * with `sandbox_secret_not_found`, and with `sandbox_secret_host` when a secret may not be sent where the agent wants it.
 */
export async function egressWish(
  { egress, secrets }: Pick<AgentSandbox, "egress" | "secrets">,
  { orgId, owner, open }: SecretUse & { readonly open: OpenSecret },
): Promise<Required<Pick<SandboxWish, "egress" | "environment">>> {
  const found = await Promise.all(
    secrets.map(async ({ env, secret: name, hosts }) => {
      const secret = await open({ orgId, name });
      if (secret === null) throw missing(name);
      const stray = hosts.find((host) => !secret.hosts.some((allowed) => covers(allowed, host)));
      if (stray !== undefined) throw elsewhere(name, stray);
      const placeholder = secret.placeholder(`${orgId}/${owner}`);
      return { env, hosts, sent: { placeholder, value: secret.value.reveal() } };
    }),
  );
  const allow = egress.map(({ host, ports }) => {
    const sent: readonly EgressSecret[] = found
      .filter(({ hosts }) => hosts.includes(host))
      .map((secret) => secret.sent);
    return { host, ...(ports !== undefined && { ports }), ...(sent.length > 0 && { secrets: sent }) };
  });
  const environment = Object.fromEntries(found.map(({ env, sent }) => [env, sent.placeholder]));
  return { egress: { allow }, environment };
}

/** Whether all that `host` stands for is among what `allowed` stands for. */
function covers(allowed: string, host: string): boolean {
  if (allowed === host) return true;
  return (
    allowed.startsWith("*.") &&
    host.replace(/^\*/, "").endsWith(allowed.slice(1)) &&
    host !== allowed.slice(2)
  );
}

function missing(name: string): BerthError {
  return new BerthError(
    "sandbox_secret_not_found",
    `The agent's sandbox needs the secret ${name}, which the organization does not have: put it with berth vault secret put ${name}.`,
  );
}

function elsewhere(name: string, host: string): BerthError {
  return new BerthError(
    "sandbox_secret_host",
    `The secret ${name} may not be sent to ${host}: change the agent's definition, or put the secret again with that host.`,
  );
}
