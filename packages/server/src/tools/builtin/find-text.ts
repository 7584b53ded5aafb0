/** Offsets of a text in another one, without overlaps, as split() finds them. */
export function findText(text: string, wanted: string): number[] {
  const places: number[] = [];
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + wanted.length))
    places.push(at);
  return places;
}

/** Number of the line that holds an offset, from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}

/** What may be wrong with a text that was not found: other spaces, other case, or a part of it that is there. */
export function whyNotFound(text: string, wanted: string): string[] {
  const lines = text.split("\n");
  const wantedLines = wanted.split("\n").map((line) => line.trim());
  const suggestions: string[] = [];
  const spaced = lines.findIndex((_, at) =>
    wantedLines.every((line, index) => (lines[at + index] ?? "").trim() === line),
  );
  if (spaced !== -1) {
    suggestions.push(
      `The same text with other spaces begins at line ${spaced + 1}; copy its spaces exactly.`,
    );
  } else if (text.toLowerCase().includes(wanted.toLowerCase())) {
    const line = lineAt(text, text.toLowerCase().indexOf(wanted.toLowerCase()));
    suggestions.push(`The same text in other case begins at line ${line}.`);
  } else {
    const first = wantedLines.find((line) => line.length > 3);
    const line = first === undefined ? -1 : lines.findIndex((content) => content.includes(first));
    if (line !== -1)
      suggestions.push(`Its first line is at line ${line + 1}, but what follows is different.`);
  }
  suggestions.push("Read the file again: it may have changed, and line numbers are not part of it.");
  return suggestions;
}
