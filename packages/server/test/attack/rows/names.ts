import type { Finding, Row } from "../row.ts";
import type { Target } from "../target.ts";

const hostile = [
  "..%2f..%2fsessions",
  "%2e%2e",
  "sbx_..%2f",
  `sbx_${"a".repeat(300)}`,
  "x%40evil.example",
  "evil.example%23",
  "sbx_0%0d%0aHost:%20evil.example",
  "sbx_%00",
  "SBX_01ARZ3NDEKTSV4RRFFQ69G5FAV",
  "sbx_01arz3ndektsv4rrffq69g5fav",
  "https:%2f%2fevil.example%2f",
];

async function askByName(target: Target): Promise<Finding> {
  const leaks: string[] = [];
  const statuses = new Set<number>();
  for (const id of hostile) {
    for (const [path, body] of [
      [`/sandboxes/${id}`, undefined],
      [`/sandboxes/${id}/exec`, { command: "true" }],
      [`/sandboxes/${id}/metrics`, undefined],
    ] as const) {
      const { status, text } = await target.request(path, body);
      statuses.add(status);
      if (status < 400 || status >= 500)
        leaks.push(`${path.slice(0, 60)} was answered with ${status}: ${text.slice(0, 80)}`);
    }
  }
  return {
    leaks,
    seen: `${hostile.length} names by 3 operations: ${[...statuses].toSorted((a, b) => a - b).join(", ")}`,
  };
}

/** What becomes of an address that a name is put into as it is. */
function putTogether(): Promise<Finding> {
  const base = "http://host.example:7430";
  const leaks = hostile.flatMap((id) => {
    const name = decodeURIComponent(id);
    const texts = [`${base}/sandboxes/${name}`, name];
    const urls = texts.flatMap((text) => (URL.canParse(text, base) ? [new URL(text, base)] : []));
    const astray = urls.some(({ origin, pathname }) => origin !== base || pathname.split("/").length > 3);
    return astray ? [`${id.slice(0, 30)} leads elsewhere`] : [];
  });
  return Promise.resolve({ leaks, seen: "" });
}

export const nameRows: readonly Row[] = [
  { id: "SBX-21", name: "Names of sandboxes in addresses", run: askByName, naive: putTogether },
];
