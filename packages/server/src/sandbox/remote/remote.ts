import { type Clock, every } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import type { EgressListener } from "../egress-decision.ts";
import { hostCalls } from "../protocol/host-calls.ts";
import type { TokenKey } from "../protocol/keys.ts";
import { sandboxCalls } from "../protocol/sandbox-calls.ts";
import { checkSandboxId } from "../sandbox-id.ts";
import type { SandboxProvider } from "../sandbox.ts";
import type { HostAddress } from "../../lib/host-address.ts";
import { checkedList } from "./checked-info.ts";
import { createCircuitBreaker } from "./circuit-breaker.ts";
import { createEgressFeed } from "./egress-feed.ts";
import { createHostClient } from "./host-client.ts";
import { createRemoteLives } from "./remote-lives.ts";
import { createRemoteSandbox } from "./remote-sandbox.ts";
import { createRemoteWorkspaces } from "./remote-workspaces.ts";
import { createTokens, type GetJwtToken } from "./tokens.ts";
import { type ClientTls, createDispatcher } from "./transport.ts";
import { watchHost, type WatchedHost } from "./watched-host.ts";
import { weakest } from "./weakest.ts";

export interface RemoteOptions {
  /** One or more, of different names. */
  readonly hosts: readonly HostAddress[];
  /** Signs tokens, or gets them from whoever does. */
  readonly tokens: TokenKey | GetJwtToken;
  /** Whose sandboxes and workspaces these are; what lists and makes them names its own. */
  readonly deployment: string;
  readonly clock: Clock;
  readonly tls?: ClientTls;
  /** Whether only hosts that isolate are used. Default: yes. */
  readonly isolated?: boolean;
  /** How long tokens are valid that the key signs, milliseconds, at most five minutes. Default: two minutes. */
  readonly tokenMs?: number;
  /** How often hosts are asked how they are, milliseconds. Default: 5 s. */
  readonly heartbeatMs?: number;
  /** Told what sandboxes ask for, after each heartbeat and each end of a sandbox. */
  readonly egress?: EgressListener;
  readonly breaker?: { readonly failures: number; readonly openMs: number };
}

/** Sandboxes on other machines, by the protocol of `berth sandbox-host`. */
export function createRemote(options: RemoteOptions): SandboxProvider {
  const { clock, deployment, tls = {}, isolated = true } = options;
  const dispatcher = createDispatcher(tls);
  const closing = new AbortController();
  const hosts = watchHosts(options, { dispatcher, closed: closing.signal });
  const beat = () => Promise.all([...hosts.values()].map((host) => host.beat()));
  const first = beat();
  const heartbeats = every(clock, options.heartbeatMs ?? 5_000, async () => void (await beat()));

  function hostOf(name: string): WatchedHost {
    const host = hosts.get(name);
    if (host !== undefined) return host;
    const message = `There is no sandbox host ${name} (any more): name it in sandboxHosts again, or give its sandboxes up.`;
    throw new BerthError("sandbox_unavailable", message);
  }
  const clientOf = (name: string) => hostOf(name).client;

  return {
    kind: "remote",
    workspaces: createRemoteWorkspaces({ clientOf, deployment }),
    async probe() {
      await first;
      return weakest(
        [...hosts.values()].flatMap((host) => {
          const capabilities = host.info().healthy ? host.capabilities() : null;
          return capabilities === null ? [] : [{ name: host.name, capabilities }];
        }),
      );
    },
    async hosts() {
      await first;
      return [...hosts.values()].map((host) => host.info());
    },
    ...createRemoteLives({ hostOf, deployment, isolated }),
    async list(host, whose) {
      const client = clientOf(host);
      const made = { args: { deployment: whose }, id: "", deployment: whose };
      return checkedList(client.address, whose, await client.call(hostCalls.list, made));
    },
    async connect(ref, { folder } = {}) {
      checkSandboxId(ref.id);
      const client = clientOf(ref.host);
      const made = { id: ref.id, deployment };
      const args = folder === undefined ? {} : { folder };
      await client.call(sandboxCalls.connect, { ...made, args });
      return createRemoteSandbox({ ...made, client, folder, clock, tls });
    },
    async sweep(host, whose) {
      const made = { args: { deployment: whose }, id: "", deployment: whose };
      return await clientOf(host).call(hostCalls.sweep, made);
    },
    async close() {
      if (closing.signal.aborted) return;
      heartbeats.cancel();
      closing.abort(
        new BerthError("sandbox_gone", "The server is stopping; try again in a moment.", { retryable: true }),
      );
      await first;
      for (const { egress } of hosts.values()) await egress?.settled();
      await dispatcher.destroy();
    },
  };
}

function watchHosts(
  options: RemoteOptions,
  { dispatcher, closed }: { dispatcher: ReturnType<typeof createDispatcher>; closed: AbortSignal },
): ReadonlyMap<string, WatchedHost> {
  const { hosts, tokens: source, clock, deployment, isolated = true, tokenMs = 120_000 } = options;
  const { egress: listener, breaker } = options;
  const tokens = createTokens({ source, clock, lifeMs: Math.min(tokenMs, 300_000) });
  return new Map(
    hosts.map((address) => {
      const circuit = createCircuitBreaker({ clock, failures: 5, openMs: 10_000, ...breaker });
      const client = createHostClient({ address, dispatcher, tokens, breaker: circuit, clock, closed });
      const egress = listener === undefined ? null : createEgressFeed({ client, deployment, listener });
      return [address.name, watchHost({ client, egress, clock, isolated, deployment })];
    }),
  );
}
