// Vercel AI SDK + Hono as its documentation builds a chat: streamText, and its stream of interface messages as server-sent events.
// Nothing is stored: the client brings the conversation along.
//   server.mjs <base URL of the model>
import { serve } from "@hono/node-server";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { createUIMessageStreamResponse, isStepCount, streamText, tool, toUIMessageStream } from "ai";
import { Hono } from "hono";
import { z } from "zod";

globalThis.AI_SDK_LOG_WARNINGS = false;
const provider = createOpenAICompatible({ name: "double", baseURL: process.argv[2], apiKey: "none" });
const todoRead = tool({
  description: "Reads the todo list",
  inputSchema: z.object({}),
  execute: async () => ({ todos: [] }),
});

const app = new Hono();
app.post("/chat/:model", async (c) => {
  const { messages } = await c.req.json();
  const model = c.req.param("model");
  const result = streamText({
    model: provider(model),
    messages,
    ...(model === "tool" && { tools: { todo_read: todoRead }, stopWhen: isStepCount(5) }),
  });
  return createUIMessageStreamResponse({ stream: toUIMessageStream({ stream: result.stream }) });
});

const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => process.send(port));
process.on("disconnect", () => server.close().closeAllConnections());
