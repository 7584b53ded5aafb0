import { newId } from "../../../src/lib/id.ts";

/** Calls of newId after which its store of randomness was surely filled anew. */
const most = 300;

/** Uses up the randomness that lib/id.ts has in store, until it is filled from what is installed: `filled` counts how often that was asked. */
export function freshIds(filled: () => number): void {
  const before = filled();
  for (let at = 0; at < most && filled() === before; at++) newId("input", 0);
}
