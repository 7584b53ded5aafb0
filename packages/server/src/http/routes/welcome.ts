import { endpoint } from "../endpoint.ts";

const links = {
  api: "/api/v1/openapi.json",
  health: "/healthz",
  readiness: "/readyz",
  metrics: "/metrics",
} as const;

const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Berth</title></head>
<body>
<h1>Berth</h1>
<p>This server runs AI agents. Talk to it with <code>berth chat</code>, or with the API.</p>
<ul>
${Object.entries(links)
  .map(([name, path]) => `<li><a href="${path}">${name}</a></li>`)
  .join("\n")}
</ul>
</body>
</html>
`;

export const welcome = endpoint({
  id: "welcome",
  method: "get",
  path: "/",
  tag: "server",
  summary: "Says what this is and where to go on",
  access: "open",
  replies: { 200: { description: "Links, as JSON or as a page.", mediaType: "application/json" } },
  handle({ request, context }) {
    if (request.headers.get("accept")?.includes("text/html")) {
      return { raw: new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } }) };
    }
    const { version } = context.operations.settings.system;
    return { raw: Response.json({ name: "berth", version, links }) };
  },
});
