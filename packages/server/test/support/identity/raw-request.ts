import { request } from "node:http";

export interface RawRequest {
  readonly url: string;
  readonly method?: string;
  /** A header with several values is sent several times. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: unknown;
  /** An address of this machine to come from: all of 127.0.0.0/8 are. */
  readonly from?: string;
}

export interface RawReply {
  readonly status: number;
  readonly text: string;
  /** The problem's code; empty when it is none. */
  readonly code: string;
  readonly cookies: readonly string[];
}

/** Sends a request as it is: with a header twice, from another address, with whatever a browser would not send. */
export function rawRequest({ url, method = "GET", headers = {}, body, from }: RawRequest): Promise<RawReply> {
  const content = body === undefined ? null : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const outgoing = request(url, {
      method,
      agent: false,
      headers: {
        ...(headers as Record<string, string | string[]>),
        ...(content !== null && {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(content),
        }),
      },
      ...(from !== undefined && { localAddress: from }),
    });
    outgoing.on("error", reject);
    outgoing.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        const cookies = response.headers["set-cookie"] ?? [];
        resolve({ status: response.statusCode ?? 0, text, code: codeOf(text), cookies });
      });
    });
    outgoing.end(content ?? undefined);
  });
}

function codeOf(text: string): string {
  return /"code":"(\w+)"/.exec(text)?.[1] ?? "";
}
