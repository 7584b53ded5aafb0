// Mastra's server: its agents behind its own Hono adapter, without a memory and without storage, which is when it is fastest.
//   server.mjs <base URL of the model>
import { serve } from "@hono/node-server";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { Agent } from "@mastra/core/agent";
import { Mastra } from "@mastra/core/mastra";
import { createTool } from "@mastra/core/tools";
import { MastraServer } from "@mastra/hono";
import { Hono } from "hono";
import { z } from "zod";

const provider = createOpenAICompatible({ name: "double", baseURL: process.argv[2], apiKey: "none" });
const todoRead = createTool({
  id: "todo_read",
  description: "Reads the todo list",
  inputSchema: z.object({}),
  execute: async () => ({ todos: [] }),
});
const agent = (name, tools) =>
  new Agent({ id: name, name, instructions: "You answer.", model: provider(name), tools });

const mastra = new Mastra({
  agents: {
    "at-once": agent("at-once", {}),
    tokens: agent("tokens", {}),
    tool: agent("tool", { todo_read: todoRead }),
  },
  logger: false,
});
const app = new Hono();
await new MastraServer({ app, mastra, prefix: "/api" }).init();

const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => process.send(port));
process.on("disconnect", () => server.close(() => process.exit(0)).closeAllConnections());
