/** An event stream that somebody has open. */
export interface OpenStream {
  readonly status: number;
  /** What has come so far. */
  text(): string;
  /** Resolves with all that came, when the server has ended it. */
  readonly ended: Promise<string>;
  close(): void;
}

export async function openStream(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<OpenStream> {
  const abort = new AbortController();
  const response = await fetch(url, { headers, signal: abort.signal });
  let text = "";
  async function read(): Promise<string> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
    } catch (error) {
      if (!abort.signal.aborted) throw error;
    }
    return text;
  }
  const ended = read();
  return { status: response.status, text: () => text, ended, close: () => abort.abort() };
}
