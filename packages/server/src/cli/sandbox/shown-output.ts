import type { CommandContext } from "../context.ts";
import { safeText } from "../terminal/safe-text.ts";

/** Writes output of a sandbox: as it is to a file or pipe, and without what would play tricks with a terminal to a terminal. */
export function shownOutput({ io, printer }: Pick<CommandContext<unknown>, "io" | "printer">) {
  return (text: string): void => printer.out(io.stdout.isTTY === true ? safeText(text) : text);
}
