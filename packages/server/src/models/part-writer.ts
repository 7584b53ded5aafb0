import type { ModelPart } from "./model.ts";

interface GrowingPart {
  readonly type: "text" | "thinking" | "tool_input";
  readonly block: number;
  text: string;
}

/**
 * Collects the parts of one network chunk and numbers the blocks. Deltas of one block that come in the same chunk become
 * one part, so that what is behind it pays for chunks and not for tokens.
 */
export class PartWriter {
  #parts: ModelPart[] = [];
  #growing: GrowingPart | null = null;
  #nextBlock = 0;
  #openKind: "text" | "thinking" | null = null;
  #openBlock = -1;

  /** Blocks begun so far. */
  get blocks(): number {
    return this.#nextBlock;
  }

  /** Appends to the open text block, or begins one. */
  text(text: string): void {
    if (text === "") return;
    if (this.#openKind !== "text") this.#open("text");
    this.#grow("text", this.#openBlock, text);
  }

  /** Appends to the open thinking block, or begins one. Returns its number. */
  thinking(text: string): number {
    if (this.#openKind !== "thinking") this.#open("thinking");
    this.#grow("thinking", this.#openBlock, text);
    return this.#openBlock;
  }

  /** The provider's proof of a thinking block. With null: of a block of its own that has no text to show. */
  thinkingSignature(block: number | null, signature: string): void {
    this.#growing = null;
    this.#openKind = null;
    this.#parts.push({ type: "thinking", block: block ?? this.#nextBlock++, text: "", signature });
  }

  toolCall(name: string, signature?: string): number {
    const block = this.#nextBlock++;
    this.#openKind = null;
    this.#growing = null;
    this.#parts.push({ type: "tool_call", block, name, ...(signature === undefined ? {} : { signature }) });
    return block;
  }

  toolInput(block: number, text: string): void {
    if (text !== "") this.#grow("tool_input", block, text);
  }

  /** The next text or thinking begins a new block. */
  closeBlock(): void {
    this.#openKind = null;
  }

  push(part: ModelPart): void {
    this.#growing = null;
    this.#parts.push(part);
  }

  /** What was written since the last call. */
  take(): readonly ModelPart[] {
    const parts = this.#parts;
    if (parts.length === 0) return parts;
    this.#parts = [];
    this.#growing = null;
    return parts;
  }

  #open(kind: "text" | "thinking"): void {
    this.#openKind = kind;
    this.#openBlock = this.#nextBlock++;
  }

  #grow(type: GrowingPart["type"], block: number, text: string): void {
    const growing = this.#growing;
    if (growing !== null && growing.block === block && growing.type === type) {
      growing.text += text;
      return;
    }
    const part: GrowingPart = { type, block, text };
    this.#growing = part;
    this.#parts.push(part);
  }
}
