import { vi } from "vitest";
import { type Seat } from "./tenant.ts";
import type { World } from "./world.ts";

/** An event stream that is open. */
export interface OpenStream {
  /** What has come so far. */
  readonly text: () => string;
  /** Resolves with all that came when the server has ended it. */
  readonly ended: Promise<string>;
  stop(): void;
}

/** Follows a session until the server ends the stream, or the test does. */
export async function openStream(
  { url }: Pick<World, "url">,
  { key }: Pick<Seat, "key">,
  sessionId: string,
): Promise<OpenStream> {
  const stop = new AbortController();
  const response = await fetch(`${url}/api/v1/sessions/${sessionId}/events/stream`, {
    headers: { authorization: `Bearer ${key}` },
    signal: stop.signal,
  });
  if (response.body === null || response.status !== 200) {
    throw new Error(`the stream answered ${response.status}: ${await response.text()}`);
  }
  let text = "";
  const decoder = new TextDecoder();
  const read = async (body: ReadableStream<Uint8Array>) => {
    for await (const bytes of body) text += decoder.decode(bytes, { stream: true });
    return text;
  };
  const ended = read(response.body);
  // A test that stops it does not care how it ended.
  ended.catch(() => undefined);
  await vi.waitFor(() => {
    if (!text.includes("event: session.created")) throw new Error("nothing came yet");
  });
  return { text: () => text, ended, stop: () => stop.abort() };
}
