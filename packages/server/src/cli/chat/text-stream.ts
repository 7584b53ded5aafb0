import type { TextBlock } from "@berth/client";
import type { Printer } from "../terminal/io.ts";
import { safeText } from "../terminal/safe-text.ts";
import { createWordWrap } from "../terminal/word-wrap.ts";

/** Writes one growing text to a place where nothing can be taken back. */
export interface TextStream {
  /** The block that is being written, null between blocks. */
  readonly key: string | null;
  /** `lead` stands before the first line. */
  show(block: TextBlock, lead?: string): void;
  /** The block will not be finished. */
  drop(): void;
}

export function createTextStream(printer: Printer, onClose: () => void): TextStream {
  let key: string | null = null;
  let written = "";
  let atLineStart = true;
  const wrap = createWordWrap(printer.width);

  function write(block: TextBlock, text: string): void {
    const safe = safeText(text);
    if (safe === "") return;
    const wrapped = printer.interactive ? wrap.add(safe) : safe;
    printer.out(block.kind === "thinking" ? printer.style("dim", wrapped) : wrapped);
    atLineStart = safe.endsWith("\n");
  }
  function close(): void {
    if (!atLineStart) printer.out("\n");
    key = null;
    written = "";
    atLineStart = true;
    wrap.restart();
    onClose();
  }

  return {
    get key() {
      return key;
    },
    show(block, lead = "") {
      if (key === null && lead !== "" && block.text !== "") {
        printer.out(lead);
        wrap.skip(lead);
      }
      key ??= block.key;
      const text = block.done ? block.text : withoutHalf(block.text);
      if (!text.startsWith(written)) {
        printer.out(`${atLineStart ? "" : "\n"}${printer.style("dim", "(it begins again)")}\n`);
        written = "";
        wrap.restart();
      }
      write(block, text.slice(written.length));
      written = text;
      if (block.done) close();
    },
    drop() {
      if (key === null) return;
      if (written !== "") printer.out(printer.style("dim", " (cut off)"));
      atLineStart &&= written === "";
      close();
    },
  };
}

/** Without the first half of a character whose second half is still to come. */
function withoutHalf(text: string): string {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff ? text.slice(0, -1) : text;
}
