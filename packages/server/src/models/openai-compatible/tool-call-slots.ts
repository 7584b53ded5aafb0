import type { PartWriter } from "../part-writer.ts";

/** A piece of a tool call as servers send it; every field may be missing or of another type. */
export interface ToolCallDelta {
  readonly index?: unknown;
  readonly id?: unknown;
  readonly function?: { readonly name?: unknown; readonly arguments?: unknown } | null;
}

interface Slot {
  index: number | null;
  id: string;
  name: string;
  input: string;
  /** Null until its name is known: only then can it be told. */
  block: number | null;
}

interface Piece {
  readonly index: number | null;
  readonly id: string;
  readonly name: string;
  readonly input: string;
}

function inputOf(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : JSON.stringify(value);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Puts the pieces of parallel tool calls together. The format says `index` and sends id and name once; servers also repeat
 * them in every piece, leave the index out or send 0 for all, send whole calls at once, or give them empty ids.
 */
export class ToolCallSlots {
  readonly #writer: PartWriter;
  readonly #slots: Slot[] = [];

  constructor(writer: PartWriter) {
    this.#writer = writer;
  }

  get count(): number {
    return this.#slots.length;
  }

  take(deltas: readonly ToolCallDelta[]): void {
    for (const [position, delta] of deltas.entries()) {
      const piece: Piece = {
        index: typeof delta.index === "number" ? delta.index : deltas.length > 1 ? position : null,
        id: typeof delta.id === "string" ? delta.id : "",
        name: typeof delta.function?.name === "string" ? delta.function.name : "",
        input: inputOf(delta.function?.arguments),
      };
      const slot = this.#find(piece) ?? this.#begin(piece.index);
      if (slot.id === "") slot.id = piece.id;
      if (slot.name === "") slot.name = piece.name;
      this.#append(slot, piece.input);
    }
  }

  /** Tells the calls whose name never came, so that the model can be told that they are unknown. */
  end(): void {
    for (const slot of this.#slots) if (slot.block === null) this.#tell(slot);
  }

  #find({ index, id, name, input }: Piece): Slot | undefined {
    const fits = (slot: Slot) => index === null || slot.index === null || slot.index === index;
    const sameId = id === "" ? undefined : this.#slots.find((slot) => slot.id === id && fits(slot));
    if (sameId !== undefined) return sameId;
    const slot = index === null ? this.#slots.at(-1) : this.#slots.findLast((one) => one.index === index);
    if (slot === undefined || name === "") return slot;
    if (id !== "" && slot.id !== "") return undefined;
    if (slot.name !== "" && slot.name !== name) return undefined;
    // The same name again: a repeat in each piece, or a second call after a whole first one.
    return input !== "" && isJson(slot.input) ? undefined : slot;
  }

  #begin(index: number | null): Slot {
    const slot: Slot = { index, id: "", name: "", input: "", block: null };
    this.#slots.push(slot);
    return slot;
  }

  #append(slot: Slot, text: string): void {
    slot.input += text;
    if (slot.block !== null) this.#writer.toolInput(slot.block, text);
    else if (slot.name !== "") this.#tell(slot);
  }

  #tell(slot: Slot): void {
    slot.block = this.#writer.toolCall(slot.name);
    this.#writer.toolInput(slot.block, slot.input);
  }
}
