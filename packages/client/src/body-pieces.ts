import type { ApiRequest, Http } from "./http.ts";

/** The body of a good reply as it comes. */
export async function* bodyPieces(http: Http, request: ApiRequest): AsyncGenerator<Uint8Array> {
  const body = await http.read(request, (response) => Promise.resolve(response.body));
  const reader = body?.getReader();
  try {
    for (let read = await reader?.read(); read?.done === false; read = await reader?.read()) yield read.value;
  } finally {
    await reader?.cancel().catch(() => {});
  }
}
