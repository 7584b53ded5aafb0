import type { ProviderFault } from "./provider-error.ts";

const unsupported =
  /unsupported|not supported|n't support|not support|unrecognized|unknown|unexpected|extra (inputs?|fields?)|not permitted|not allowed|additional propert/i;

/**
 * Remembers by model which fields of a request its server refused with 400 or 422, so that only the first call pays for
 * finding out. Servers differ in what they know, and say so in words only.
 */
export class Refusals<Field extends string> {
  readonly #optional: readonly Field[];
  readonly #byModel = new Map<string, Set<Field>>();

  /** `optional`: what a request can do without, the longer of two names that contain each other first. */
  constructor(optional: readonly Field[]) {
    this.#optional = optional;
  }

  of(model: string): ReadonlySet<Field> {
    return this.#byModel.get(model) ?? new Set();
  }

  /** True when the fault names a field that was sent and can be left out the next time. */
  learn(model: string, fault: ProviderFault, sent: (field: Field) => boolean): boolean {
    if (fault.status !== 400 && fault.status !== 422) return false;
    if (!unsupported.test(`${fault.kind} ${fault.message}`)) return false;
    const named = this.#optional.find(
      (field) => sent(field) && (fault.param === field || fault.message.includes(field)),
    );
    if (named === undefined) return false;
    const refused = this.#byModel.get(model) ?? new Set();
    if (refused.has(named)) return false;
    this.#byModel.set(model, refused.add(named));
    return true;
  }
}
