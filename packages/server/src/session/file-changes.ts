/** A file by its content. */
export interface KeptFile {
  readonly path: string;
  readonly hash: string;
  readonly size: number;
}

/** What a path is, instead of what the manifest has there: this content, what the manifest has at another path, or nothing. */
export interface FileChange {
  readonly path: string;
  readonly now: Pick<KeptFile, "hash" | "size"> | { readonly from: string } | null;
}

/** By path, in the order of code units, each path once. What is in a folder of a path counts before what the path itself says. */
export type FileChanges = readonly FileChange[];

export type FileStep =
  | { readonly type: "write"; readonly path: string; readonly hash: string; readonly size: number }
  | { readonly type: "remove"; readonly path: string }
  | { readonly type: "move"; readonly path: string; readonly to: string };

/** Changes beyond these are not kept, as files beyond 10,000 are not in a manifest; a manifest makes room for others. */
export const mostFileChanges = 10_000;

/** Of all their paths: a folder moved into others again and again makes those of what is in it longer and longer. */
const mostCharacters = 4 * 1024 * 1024;

/** Names of a path. Manifests have nothing that is deeper either, because no list of files does. */
const mostNames = 128;

/** What one change takes in memory, in bytes, about. */
export const bytesOfChange = 400;

/** The changes after one more, which was done: what it named was there. Null when they are too many, or it is too deep, to keep this one. */
export function changeFiles(changes: FileChanges, step: FileStep): FileChanges | null {
  const after = changed(changes, step);
  if (after === null) return null;
  if (after.length > mostFileChanges && after.length > changes.length) return null;
  const characters = charactersOf(after);
  return characters > mostCharacters && characters > charactersOf(changes) ? null : after;
}

/** The files of a manifest with the changes that came after it, by path. */
export function filesAfter(files: readonly KeptFile[], changes: FileChanges): readonly KeptFile[] {
  if (changes.length === 0) return files;
  // Where what the manifest has at a path is now; everything is where it was, unless a change says otherwise.
  const places = new Map<string, string[]>([["", [""]]]);
  for (const { path, now } of changes) {
    if (now !== null && "from" in now) places.set(now.from, [...(places.get(now.from) ?? []), path]);
  }
  const found = new Map<string, KeptFile>();
  for (const file of files) {
    for (const from of placesOf(file.path)) {
      for (const place of places.get(from) ?? []) {
        const path = join(place, file.path.slice(from === "" ? 0 : from.length + 1));
        if (nearest(changes, path)?.path === (place === "" ? undefined : place))
          found.set(path, { ...file, path });
      }
    }
  }
  for (const { path, now } of changes) {
    if (now !== null && "hash" in now) found.set(path, { path, ...now });
  }
  const all = [...found.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  // A file cannot be where a folder has to be: tools made room for what was written into it.
  return all.filter(({ path }) => !all[firstFrom(all, `${path}/`)]?.path.startsWith(`${path}/`));
}

/** True when one of these files is at the path or in it. */
export function isAmong(files: readonly KeptFile[], path: string): boolean {
  const place = plain(path);
  return files.some((file) => file.path === place || file.path.startsWith(`${place}/`));
}

function charactersOf(changes: FileChanges): number {
  let characters = 0;
  for (const { path, now } of changes)
    characters += path.length + (now !== null && "from" in now ? now.from.length : 0);
  return characters;
}

function changed(changes: FileChanges, step: FileStep): FileChanges | null {
  const path = plain(step.path);
  if (isDeep(path)) return null;
  if (step.type === "write") {
    const { hash, size } = step;
    return set(without(changes, path), { path, now: { hash, size } });
  }
  if (step.type === "remove") return set(without(changes, path), { path, now: null });
  const to = plain(step.to);
  if (isDeep(to)) return null;
  const gone = set(without(changes, path), { path, now: null });
  const rest = set(without(gone, to), { path: to, now: at(changes, path) });
  const moved = changes
    .slice(...inside(changes, path))
    .map(({ path: old, now }) => ({ path: join(to, old.slice(path.length + 1)), now }));
  if (moved.some((change) => isDeep(change.path))) return null;
  const [place] = inside(rest, to);
  return [...rest.slice(0, place), ...moved, ...rest.slice(place)];
}

/** What a path is: what a change says of it, or of a folder that it is in. */
function at(changes: FileChanges, path: string): FileChange["now"] {
  const change = nearest(changes, path);
  if (change === null) return { from: path };
  const { now } = change;
  if (change.path === path || now === null) return now;
  return "from" in now ? { from: join(now.from, path.slice(change.path.length + 1)) } : null;
}

/** The change of the path, or of the innermost folder of it that has one. */
function nearest(changes: FileChanges, path: string): FileChange | null {
  let place = path;
  while (place !== "") {
    const index = firstFrom(changes, place);
    const here = changes[index];
    if (here?.path === place) return here;
    // What comes before has in it the beginning of every folder that is sought.
    const before = changes[index - 1]?.path ?? "";
    let same = 0;
    while (same < before.length && before[same] === place[same]) same++;
    place = place.slice(0, Math.max(0, place.lastIndexOf("/", same)));
  }
  return null;
}

function isDeep(path: string): boolean {
  let names = 1;
  for (let end = path.indexOf("/"); end !== -1; end = path.indexOf("/", end + 1)) names++;
  return names > mostNames;
}

/** With the change of a path that has none yet, unless it says what holds without it. */
function set(changes: FileChanges, change: FileChange): FileChanges {
  if (isSame(change.now, at(changes, change.path))) return changes;
  return changes.toSpliced(firstFrom(changes, change.path), 0, change);
}

function isSame(now: FileChange["now"], otherwise: FileChange["now"]): boolean {
  if (now === null) return otherwise === null;
  return "from" in now && otherwise !== null && "from" in otherwise && otherwise.from === now.from;
}

/** Without the changes of a path and of what is in it. */
function without(changes: FileChanges, path: string): FileChanges {
  const [first, last] = inside(changes, path);
  const rest = first === last ? changes : changes.toSpliced(first, last - first);
  const index = firstFrom(rest, path);
  return rest[index]?.path === path ? rest.toSpliced(index, 1) : rest;
}

/** The changes of what is in a folder: from this index up to that one. */
function inside(changes: FileChanges, path: string): readonly [number, number] {
  // The character after the slash is the zero.
  return [firstFrom(changes, `${path}/`), firstFrom(changes, `${path}0`)];
}

/** The index of the first change whose path is this one or comes after it. */
function firstFrom(changes: readonly { readonly path: string }[], path: string): number {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const found = changes[middle];
    if (found !== undefined && found.path < path) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The workspace itself, the folders that a path is in from there inwards, and the path. */
function* placesOf(path: string): Generator<string> {
  yield "";
  for (let end = path.indexOf("/"); end !== -1; end = path.indexOf("/", end + 1)) yield path.slice(0, end);
  yield path;
}

function join(folder: string, path: string): string {
  if (folder === "" || path === "") return folder + path;
  return `${folder}/${path}`;
}

function plain(path: string): string {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  return names.join("/");
}
