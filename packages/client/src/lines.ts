import type { ApiRequest, Http } from "./http.ts";

/** The lines of a text body, as they come. */
export async function* readLines(http: Http, request: ApiRequest): AsyncGenerator<string> {
  const body = await http.read(request, (response) => Promise.resolve(response.body));
  if (body !== null) yield* lines(body);
}

async function* lines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += decoder.decode(value, { stream: !done });
      const whole = rest.split("\n");
      rest = whole.pop() ?? "";
      yield* whole.filter((line) => line !== "");
      if (done) break;
    }
    if (rest !== "") yield rest;
  } finally {
    await reader.cancel().catch(() => {});
  }
}
