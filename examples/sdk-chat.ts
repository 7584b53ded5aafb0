// A conversation through the SDK: an agent, a session, streamed text, an approval, a tool that runs in this program.
//
//   npm start                                   in one terminal
//   scripts/run examples/sdk-chat.ts            in another, from the repository's root
//
// Without a model provider the built-in demo answers: it calls real tools and asks for one approval. It calls no tool of
// yours; with a real model (MODEL=openai/gpt-4.1-mini) ask for the time to see that too: TEXT="What time is it here?"
// BERTH_URL and BERTH_API_KEY say where the server is and what its key is; without them it is the one on this machine,
// with the key that its first start left in ./berth-data/admin.key.
import { readFileSync } from "node:fs";
import {
  type AgentDefinitionInput,
  BerthApiError,
  type BerthClient,
  createClient,
  createTranscript,
} from "@berth/client";

const apiKey = process.env["BERTH_API_KEY"] ?? readFileSync("berth-data/admin.key", "utf8").trim();
const berth = createClient({ baseUrl: process.env["BERTH_URL"] ?? "http://127.0.0.1:7420", apiKey });

// 1. An agent is made once and used by name.
const agent = await ensureAgent(berth, "sdk-example", process.env["MODEL"] ?? (await firstModel(berth)));

// 2. A session is one conversation. With a `key` of your own it would be the same one each time.
const { id } = await berth.sessions.create({ agent, title: "SDK example" });
console.log(`session ${id}`);

// 3. Send a message and watch its run. Text streams as it is written; reconnects lose nothing and repeat nothing.
const transcript = createTranscript();
const result = await berth.session(id).run({
  text: process.env["TEXT"] ?? "Show me what you can do.",
  onEvent(event) {
    for (const change of transcript.apply(event)) {
      if (change.type === "removed" || change.block.kind !== "text") continue;
      const before = change.type === "changed" && change.before.kind === "text" ? change.before.text : "";
      const { text } = change.block;
      // A retry, or another server after a crash, writes the text anew.
      process.stdout.write(text.startsWith(before) ? text.slice(before.length) : `\n${text}`);
    }
  },
  // 4. A person decides; here it is this function. `input` is exactly what would run.
  onApproval: async ({ name, input }) => {
    console.log(`\n[approving ${name} ${JSON.stringify(input)}]`);
    return { decision: "allow", note: "approved by the example" };
  },
  // 5. A tool of this program: the session waits for its result, however long that takes.
  tools: { local_time: async () => ({ time: new Date().toString() }) },
});

// 6. How it went.
const { status, reason, usage } = result.run;
console.log(`\n\n${status} (${reason}), ${usage.inputTokens} tokens in, ${usage.outputTokens} out`);
for (const call of result.toolCalls) console.log(`  ${call.ok === true ? "ok    " : "failed"} ${call.name}`);

// 7. The log is all there is, and it can be read again from any place.
let events = 0;
for await (const line of berth.sessions.export(id)) if (line !== "") events += 1;
console.log(`${events} events; follow them with: ./berth sessions tail ${id} --from-start`);
process.exitCode = status === "completed" ? 0 : 1;

async function firstModel(client: BerthClient): Promise<string> {
  const { items } = await client.models.list();
  const model = items.find(({ demo }) => !demo) ?? items[0];
  if (model === undefined) throw new Error("the server has no model");
  return model.name;
}

async function ensureAgent(client: BerthClient, name: string, model: string): Promise<string> {
  const definition: AgentDefinitionInput = {
    name,
    model,
    instructions: "You are a helpful assistant. Use your tools, and say briefly what you did.",
    tools: ["fs_*", "todo_*", "bash_run"],
    clientTools: [
      {
        name: "local_time",
        description: "The time where the user is.",
        inputSchema: { type: "object", properties: {}, additionalProperties: false },
      },
    ],
    permissions: { mode: "auto", requireApproval: ["bash_run"] },
  };
  try {
    const { id: agentId } = await client.agents.get(name);
    await client.agents.update(agentId, definition);
  } catch (error) {
    if (!(error instanceof BerthApiError && error.status === 404)) throw error;
    await client.agents.create(definition);
  }
  return name;
}
