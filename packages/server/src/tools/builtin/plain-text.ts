const invisible = ["script", "style", "svg", "noscript", "template", "iframe"] as const;
const blocks =
  /^\/?(p|div|br|hr|h[1-6]|li|ul|ol|tr|table|section|article|header|footer|nav|main|pre|blockquote|dt|dd|form)$/;
const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
};

/** A page without what nobody sees: scripts, styles, comments. Takes time in proportion to its length, whatever it holds. */
export function withoutInvisible(html: string): string {
  // Only ASCII: toLowerCase() changes the length of some other letters.
  const lower = html.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  const kept: string[] = [];
  let at = 0;
  for (;;) {
    const next = lower.indexOf("<", at);
    if (next === -1) return kept.join("") + html.slice(at);
    const end = endOfInvisible(lower, next);
    kept.push(html.slice(at, end === null ? next + 1 : next));
    at = end ?? next + 1;
  }
}

/** Where the invisible element that begins here ends; null when none begins here. */
function endOfInvisible(lower: string, start: number): number | null {
  if (lower.startsWith("<!--", start)) return after(lower, "-->", start + 4);
  const name = invisible.find(
    (tag) => lower.startsWith(tag, start + 1) && /[\s>/]/.test(lower.charAt(start + 1 + tag.length)),
  );
  return name === undefined ? null : after(lower, `</${name}>`, start);
}

function after(text: string, what: string, from: number): number {
  const found = text.indexOf(what, from);
  return found === -1 ? text.length : found + what.length;
}

/** The text of a page without any markup, a line for each block. */
export function plainText(html: string): string {
  const kept: string[] = [];
  let at = 0;
  for (;;) {
    const open = html.indexOf("<", at);
    const close = open === -1 ? -1 : html.indexOf(">", open);
    if (close === -1) {
      kept.push(html.slice(at));
      break;
    }
    const name = /^\/?[a-z][a-z0-9]*/i.exec(html.slice(open + 1, open + 20))?.[0].toLowerCase() ?? "";
    kept.push(html.slice(at, open), blocks.test(name) ? "\n" : "");
    at = close + 1;
  }
  const lines = decodeEntities(kept.join("")).split("\n");
  return lines
    .map((line) => line.split(/\s+/).filter(Boolean).join(" "))
    .filter(Boolean)
    .join("\n");
}

function decodeEntities(text: string): string {
  return text.replace(/&(#x[0-9a-f]{1,6}|#\d{1,7}|[a-z]{2,6});/gi, (entity, name: string) => {
    if (!name.startsWith("#")) return entities[name.toLowerCase()] ?? entity;
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : entity;
  });
}
