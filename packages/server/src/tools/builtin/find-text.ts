/** Offsets of a text in another one, without overlaps, as split() finds them; in a time that grows with the two, not their product. */
export function findText(text: string, wanted: string): number[] {
  return findSequence(text, wanted);
}

/** A text with another one in the places that findText() gave for a length. */
export function replacePlaces(
  text: string,
  { places, length, replacement }: { places: readonly number[]; length: number; replacement: string },
): string {
  const ends = places.map((place) => place + length);
  const kept = [...places, text.length].map((place, at) => text.slice(ends[at - 1] ?? 0, place));
  return kept.join(replacement);
}

/** Number of the line that holds an offset, from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}

/** What may be wrong with a text that was not found: other spaces, other case, or a part of it that is there. */
export function whyNotFound(text: string, wanted: string): string[] {
  const near = nearText(text, wanted);
  const again = "Read the file again: it may have changed, and line numbers are not part of it.";
  return near === null ? [again] : [near, again];
}

function nearText(text: string, wanted: string): string | null {
  const wantedLines = trimmedLines(wanted);
  // The end of a file counts as any number of empty lines.
  const lines = [...trimmedLines(text), ...wantedLines.map(() => "")];
  const [spaced] = findSequence(lines, wantedLines);
  if (spaced !== undefined) {
    return `The same text with other spaces begins at line ${spaced + 1}; copy its spaces exactly.`;
  }
  const lowered = text.toLowerCase();
  const [cased] = findText(lowered, wanted.toLowerCase());
  if (cased !== undefined) return `The same text in other case begins at line ${lineAt(lowered, cased)}.`;
  const first = wantedLines.find((line) => line.length > 3);
  const [begins] = first === undefined ? [] : findText(text, first);
  if (begins === undefined) return null;
  return `Its first line is at line ${lineAt(text, begins)}, but what follows is different.`;
}

function trimmedLines(text: string): string[] {
  return text.split("\n").map((line) => line.trim());
}

/** The search of Knuth, Morris and Pratt, for characters or lines: indexOf() takes seconds for texts that nearly repeat. */
function findSequence(all: ArrayLike<string>, wanted: ArrayLike<string>): number[] {
  const places: number[] = [];
  if (wanted.length === 0) return places;
  const borders = bordersOf(wanted);
  let same = 0;
  for (let at = 0; at < all.length; at++) {
    while (same > 0 && all[at] !== wanted[same]) same = borders[same - 1] ?? 0;
    if (all[at] === wanted[same]) same++;
    if (same < wanted.length) continue;
    places.push(at + 1 - same);
    same = 0;
  }
  return places;
}

/** For each prefix, the length of its longest proper prefix that is its end too. */
function bordersOf(wanted: ArrayLike<string>): Uint32Array {
  const borders = new Uint32Array(wanted.length);
  let same = 0;
  for (let at = 1; at < wanted.length; at++) {
    while (same > 0 && wanted[at] !== wanted[same]) same = borders[same - 1] ?? 0;
    if (wanted[at] === wanted[same]) same++;
    borders[at] = same;
  }
  return borders;
}
