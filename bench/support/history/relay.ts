// The floor of the history bench: a node:http relay that keeps each conversation, sends as much of it along as the model's window takes,
// and commits each turn to SQLite (WAL, synchronous=FULL) before it ends.
//   relay.ts <port of the model> <database file> <window in tokens>
import { Agent, createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";

const [modelPort = "", file = "", windowText = ""] = process.argv.slice(2);
/** Characters that are sent at most, with room for what the model adds to them. */
const most = Number(windowText) * 4 * 0.65;
const db = new DatabaseSync(file);
db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  CREATE TABLE turns (id INTEGER PRIMARY KEY, session TEXT NOT NULL, asked TEXT NOT NULL, answered TEXT NOT NULL) STRICT`);
const keep = db.prepare("INSERT INTO turns (session, asked, answered) VALUES (?, ?, ?)");
const agent = new Agent({ keepAlive: true });

interface Message {
  readonly role: "user" | "assistant";
  readonly content: string;
}

class Conversation {
  #messages: Message[] = [];
  #characters = 0;

  add(message: Message): readonly Message[] {
    this.#messages.push(message);
    this.#characters += message.content.length + 16;
    // Half of it at once, so that a full one does not lose its beginning with every turn.
    if (this.#characters > most) {
      this.#messages = this.#messages.slice(this.#messages.length >> 1);
      this.#characters = this.#messages.reduce((sum, { content }) => sum + content.length + 16, 0);
    }
    return this.#messages;
  }
}

const conversations = new Map<string, Conversation>();

/** The text of an answer's events. */
function textOf(events: string): string {
  const parts = events.split("\n\n").filter((event) => event.startsWith("data: {"));
  return parts
    .map((event) => JSON.parse(event.slice(6)) as { choices: { delta: { content?: string } }[] })
    .map(({ choices }) => choices[0]?.delta.content ?? "")
    .join("");
}

const server = createServer((incoming, outgoing) => {
  const chunks: Buffer[] = [];
  incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
  incoming.on("end", () => {
    const { session, text } = JSON.parse(Buffer.concat(chunks).toString()) as {
      session: string;
      text: string;
    };
    const conversation = conversations.get(session) ?? new Conversation();
    conversations.set(session, conversation);
    const messages = conversation.add({ role: "user", content: text });
    const body = JSON.stringify({ model: "counting", stream: true, messages });
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const where = { agent, host: "127.0.0.1", port: modelPort, path: "/v1/chat/completions" };
    const asking = httpRequest({ ...where, method: "POST", headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, { "content-type": "text/event-stream" });
      const answered: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => {
        answered.push(chunk);
        outgoing.write(chunk);
      });
      answer.on("end", () => {
        const whole = Buffer.concat(answered).toString();
        conversation.add({ role: "assistant", content: textOf(whole) });
        setImmediate(() => {
          keep.run(session, text, whole);
          outgoing.end();
        });
      });
    });
    asking.on("error", () => outgoing.destroy());
    asking.end(body);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => {
  agent.destroy();
  server.close(() => db.close()).closeAllConnections();
});
