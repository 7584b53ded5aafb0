import { getHeapSnapshot } from "node:v8";

/** What is read of a snapshot, as V8 writes it. */
interface Snapshot {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[];
      readonly node_types: readonly [readonly string[], ...unknown[]];
    };
  };
  readonly nodes: readonly number[];
  readonly strings: readonly string[];
}

/** How many there are of what, and their bytes. */
export interface Heap {
  /** Of all that is not the program itself. */
  readonly bytes: number;
  /** By kind and name, as `object SessionActor` or `closure onAbort`. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Kinds that grow as parts of the program run for the first time: code, and what V8 keeps of the shapes of objects. */
const ofProgram: ReadonlySet<string> = new Set(["code", "object shape", "hidden", "native", "synthetic"]);
/** Kinds whose names say what they are of; of others the name is what they hold. */
const named: ReadonlySet<string> = new Set(["object", "closure"]);

/** What is left in this process after a collection of all that can be collected. */
export async function readHeap(): Promise<Heap> {
  const chunks: Buffer[] = [];
  for await (const chunk of getHeapSnapshot()) chunks.push(chunk as Buffer);
  return countHeap(JSON.parse(Buffer.concat(chunks).toString("latin1")) as Snapshot);
}

function countHeap({ snapshot, nodes, strings }: Snapshot): Heap {
  const { node_fields: fields, node_types: types } = snapshot.meta;
  const [type, name, size] = ["type", "name", "self_size"].map((field) => fields.indexOf(field));
  const counts = new Map<string, number>();
  let bytes = 0;
  for (let at = 0; at < nodes.length; at += fields.length) {
    const kind = types[0][nodes[at + (type ?? 0)] ?? 0] ?? "";
    if (ofProgram.has(kind)) continue;
    bytes += nodes[at + (size ?? 0)] ?? 0;
    const key = named.has(kind) ? `${kind} ${strings[nodes[at + (name ?? 0)] ?? 0]}` : kind;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return { bytes, counts };
}
