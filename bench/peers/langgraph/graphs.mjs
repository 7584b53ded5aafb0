// One ready-made agent for each of the model double's ways to answer; MODEL_URL is the double's base URL.
import { tool } from "@langchain/core/tools";
import { createReactAgent } from "@langchain/langgraph/prebuilt";
import { ChatOpenAI } from "@langchain/openai";
import { z } from "zod";

const todoRead = tool(async () => JSON.stringify({ todos: [] }), {
  name: "todo_read",
  description: "Reads the todo list",
  schema: z.object({}),
});

const agent = (model, tools) =>
  createReactAgent({
    llm: new ChatOpenAI({
      model,
      apiKey: "none",
      streaming: true,
      maxRetries: 0,
      configuration: { baseURL: process.env.MODEL_URL },
    }),
    tools,
  });

export const atOnce = agent("at-once", []);
export const tokens = agent("tokens", []);
export const withTool = agent("tool", [todoRead]);
