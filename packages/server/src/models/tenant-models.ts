import type { Clock } from "../lib/clock.ts";
import { type ModelLayer, layeredClient } from "./layered-models.ts";
import type { ModelClient, ModelPart, Models, ModelScope, ScopedModels } from "./model.ts";
import { modelError } from "./model-error.ts";

/** The providers of tenants, as layers before the server's own. */
export interface TenantLayers {
  /** Changes with each change of a provider of this organization or of its users; 0: there never was one. */
  version(orgId: string): Promise<number>;
  /** Null when there are none. The owner "" stands for the organization itself. */
  layer(scope: ModelScope): Promise<ModelLayer | null>;
}

export interface TenantModelsOptions {
  readonly server: ModelLayer;
  readonly tenants: TenantLayers;
  readonly clock: Clock;
}

export interface TenantModels extends Models {
  /** An organization's providers may have changed: look again at the next use. */
  recheck(orgId: string): void;
}

/** How long what was read counts as current when no hint comes. */
const freshMs = 2_000;
const keptOrgs = 1_000;
const keptOwners = 1_000;

interface Known {
  readonly version: number;
  readonly clients: Map<string, Promise<ModelClient>>;
  readonly layers: Map<string, Promise<ModelLayer | null>>;
  checkedAt: number;
}

/** The server's models, and in each organization its own before them, and for each owner of sessions the owner's own before those. */
export function createTenantModels({ server, tenants, clock }: TenantModelsOptions): TenantModels {
  const shared = layeredClient([server], clock);
  const orgs = new Map<string, Known>();

  /** What is known of an organization, read again when it is old; what belonged to an older version is forgotten. */
  async function knownOf(orgId: string): Promise<Known> {
    const before = orgs.get(orgId);
    const now = clock.monotonic();
    if (before !== undefined && now - before.checkedAt < freshMs) return before;
    const version = await tenants.version(orgId);
    const current = orgs.get(orgId);
    if (current?.version === version) {
      current.checkedAt = now;
      return current;
    }
    const made: Known = { version, clients: new Map(), layers: new Map(), checkedAt: now };
    const [oldest] = orgs.keys();
    if (orgs.size >= keptOrgs && oldest !== undefined) orgs.delete(oldest);
    orgs.set(orgId, made);
    return made;
  }

  async function clientOf({ orgId, owner }: ModelScope): Promise<ModelClient> {
    const known = await knownOf(orgId);
    if (known.version === 0) return shared;
    if (known.clients.size >= keptOwners) known.clients.clear();
    return remembered(known.clients, owner, async () => {
      const layers = await Promise.all([
        layerOf(known, { orgId, owner }),
        layerOf(known, { orgId, owner: "" }),
      ]);
      const own = layers.filter((layer) => layer !== null);
      return own.length === 0 ? shared : layeredClient([...own, server], clock);
    });
  }

  function layerOf(known: Known, scope: ModelScope): Promise<ModelLayer | null> {
    // An owner's layer lives in the owner's client alone.
    return scope.owner === ""
      ? remembered(known.layers, "", () => tenants.layer(scope))
      : tenants.layer(scope);
  }

  return {
    ...shared,
    of: (scope) => scopedModels(shared, () => clientOf(scope)),
    recheck(orgId) {
      const known = orgs.get(orgId);
      if (known !== undefined) known.checkedAt = Number.NEGATIVE_INFINITY;
    },
  };
}

/** What was made before under this name; what failed is tried again the next time. */
function remembered<T>(made: Map<string, Promise<T>>, name: string, make: () => Promise<T>): Promise<T> {
  const before = made.get(name);
  if (before !== undefined) return before;
  const making = make();
  made.set(name, making);
  making.catch(() => made.get(name) === making && made.delete(name));
  return making;
}

function scopedModels(shared: ModelClient, load: () => Promise<ModelClient>): ScopedModels {
  let client = shared;
  const ready = async () => {
    client = await load();
  };
  return {
    ready,
    knows: (name) => client.knows(name),
    info: (name) => client.info(name),
    cost: (name, usage) => client.cost(name, usage),
    async list() {
      await ready();
      return client.list();
    },
    stream: (call, signal) =>
      afterwards(async () => {
        const loaded = await ready().then(
          () => true,
          () => false,
        );
        return loaded ? client.stream(call, signal) : [[{ type: "error", error: unreadable }] as const];
      }),
  };
}

type Parts = readonly ModelPart[];

/** What is known only after a wait, handed on without another promise for each piece. */
function afterwards(open: () => Promise<AsyncIterable<Parts> | Iterable<Parts>>): AsyncIterable<Parts> {
  return {
    [Symbol.asyncIterator]() {
      let inner: AsyncIterator<Parts> | Iterator<Parts> | null = null;
      return {
        async next() {
          if (inner !== null) return inner.next();
          const opened = await open();
          inner = Symbol.asyncIterator in opened ? opened[Symbol.asyncIterator]() : opened[Symbol.iterator]();
          return inner.next();
        },
        return: async () => inner?.return?.() ?? { done: true, value: undefined },
      };
    },
  };
}

const unreadable = modelError("server_error", "the model providers of this organization cannot be read now");
