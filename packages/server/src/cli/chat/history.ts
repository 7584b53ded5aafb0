import { type BerthClient, type Block, createTranscript, type Session } from "@berth/client";
import { formatCursor } from "@berth/contract";
import type { Printer } from "../terminal/io.ts";
import { createRenderer } from "./renderer.ts";

/** Events that are read of a session that is resumed, and blocks that are shown. */
const readEvents = 400;
const shownBlocks = 30;

/** Shows the end of what was said before. Resolves with the cursor up to which a run that goes on was shown. */
export async function showHistory(client: BerthClient, session: Session, printer: Printer): Promise<void> {
  if (session.lastSeq <= 1) return;
  const transcript = createTranscript();
  const from = Math.max(0, session.lastSeq - readEvents);
  for (let after: string | null = formatCursor(session.generation, from); after !== null;) {
    const page = await client.session(session.id).log({ after, limit: 200 });
    for (const event of page.items) transcript.apply(event);
    after = page.next;
  }
  const done = transcript.blocks.filter(
    (block) => block.runId === null || block.runId !== session.currentRunId,
  );
  const shown: readonly Block[] = done.slice(-shownBlocks);
  if (shown.length === 0) return;
  if (from > 0 || shown.length < done.length)
    printer.out(`${printer.style("dim", "… earlier: ./berth sessions tail --from-start")}\n`);
  const renderer = createRenderer(printer);
  renderer.show(shown.map((block) => ({ type: "added", block })));
  renderer.end();
}
