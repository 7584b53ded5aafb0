import { execLimits } from "@berth/contract";
import { CliError } from "../exit.ts";

/** All of standard input. Throws when there is more than a command is given. */
export async function readAll(stdin: NodeJS.ReadableStream, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    signal.throwIfAborted();
    const piece = Buffer.from(chunk as Uint8Array | string);
    bytes += piece.length;
    if (bytes > execLimits.stdinChars) {
      throw new CliError(
        `Standard input has more than ${execLimits.stdinChars} bytes: upload a file to the workspace instead.`,
      );
    }
    chunks.push(piece);
  }
  return Buffer.concat(chunks).toString();
}
