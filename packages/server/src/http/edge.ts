import type { Admission } from "../limits/admission.ts";
import type { Cors } from "./cors.ts";
import type { Overload } from "./overload.ts";

/** What every request has to pass, whatever it asks for. */
export interface Edge {
  readonly admission: Admission;
  readonly overload: Omit<Overload, "stop">;
  readonly cors: Cors;
  /** The longest address of a request, characters. */
  readonly urlBytes: number;
}

/** The parts that are named; where one is not, everything passes. */
export function createEdge(parts: Partial<Edge> = {}): Edge {
  const everybody: Admission = {
    arrive: async () => null,
    turnAway: async () => {},
    admit: async () => null,
    checkAddress: async () => {},
  };
  return {
    admission: everybody,
    overload: { begin() {}, end() {}, isOverloaded: false },
    cors: { origins: new Set() },
    urlBytes: 8_192,
    ...parts,
  };
}
