import type { ModelInfo, Usage } from "@berth/contract";
import type { Clock } from "../lib/clock.ts";
import { type ModelLayer, layeredClient } from "./layered-models.ts";
import type { ModelCall, ModelClient, ModelPart, Models, ModelScope, ScopedModels } from "./model.ts";
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
    of: (scope) => new Scoped(shared, scope, clientOf),
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

/** A class, because each live session has one: six closures for each were 570 bytes, this is 48. */
class Scoped implements ScopedModels {
  #client: ModelClient;
  readonly #scope: ModelScope;
  readonly #load: (scope: ModelScope) => Promise<ModelClient>;

  constructor(shared: ModelClient, scope: ModelScope, load: (scope: ModelScope) => Promise<ModelClient>) {
    this.#client = shared;
    this.#scope = scope;
    this.#load = load;
  }

  async ready(): Promise<void> {
    this.#client = await this.#load(this.#scope);
  }

  knows(name: string): boolean {
    return this.#client.knows(name);
  }

  info(name: string): ModelInfo | null {
    return this.#client.info(name);
  }

  cost(name: string, usage: Usage): number | null {
    return this.#client.cost(name, usage);
  }

  async list(): Promise<readonly ModelInfo[]> {
    await this.ready();
    return this.#client.list();
  }

  stream(call: ModelCall, signal: AbortSignal): AsyncIterable<Parts> {
    return afterwards(async () => {
      const loaded = await this.ready().then(
        () => true,
        () => false,
      );
      return loaded ? this.#client.stream(call, signal) : [[{ type: "error", error: unreadable }] as const];
    });
  }
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
