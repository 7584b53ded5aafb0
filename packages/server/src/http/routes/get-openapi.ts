import { endpoint } from "../endpoint.ts";

/** The text of the document comes from the app, which knows all endpoints. */
export function getOpenapi(document: () => string) {
  return endpoint({
    id: "getOpenapi",
    method: "get",
    path: "/api/v1/openapi.json",
    tag: "server",
    summary: "This description",
    access: "open",
    replies: { 200: { description: "OpenAPI 3.1.", mediaType: "application/json" } },
    handle: () => ({ raw: new Response(document(), { headers: { "content-type": "application/json" } }) }),
  });
}
