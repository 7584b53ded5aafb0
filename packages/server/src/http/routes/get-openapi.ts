import { endpoint } from "../endpoint.ts";

/** The text of the document comes from the app, which knows all endpoints. */
export function getOpenapi(document: () => Promise<string>) {
  return endpoint({
    id: "getOpenapi",
    method: "get",
    path: "/api/v1/openapi.json",
    tag: "server",
    summary: "This description",
    access: "open",
    replies: { 200: { description: "OpenAPI 3.1.", mediaType: "application/json" } },
    async handle() {
      const headers = { "content-type": "application/json" };
      return { raw: new Response(await document(), { headers }) };
    },
  });
}
