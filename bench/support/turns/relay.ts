// The floor of the turn benches: the least that can be called a server with a memory. A node:http relay that streams the model's
// answer to its client and commits each turn to SQLite (WAL, synchronous=FULL, one commit for each turn) before it ends.
//   relay.ts <port of the model> <database file>
import { Agent, createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";

const [modelPort = "", file = ""] = process.argv.slice(2);
const db = new DatabaseSync(file);
db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  CREATE TABLE turns (id INTEGER PRIMARY KEY, session TEXT NOT NULL, asked TEXT NOT NULL, answered TEXT NOT NULL) STRICT`);
const keep = db.prepare("INSERT INTO turns (session, asked, answered) VALUES (?, ?, ?)");
const agent = new Agent({ keepAlive: true });

interface Turn {
  readonly session: string;
  readonly model: string;
  readonly text: string;
}

const server = createServer((incoming, outgoing) => {
  const chunks: Buffer[] = [];
  incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
  incoming.on("end", () => {
    const { session, model, text } = JSON.parse(Buffer.concat(chunks).toString()) as Turn;
    const body = JSON.stringify({ model, stream: true, messages: [{ role: "user", content: text }] });
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const where = { agent, host: "127.0.0.1", port: modelPort, path: "/v1/chat/completions" };
    const asking = httpRequest({ ...where, method: "POST", headers }, (answer) => {
      outgoing.writeHead(200, { "content-type": "text/event-stream" });
      const answered: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => {
        answered.push(chunk);
        outgoing.write(chunk);
      });
      answer.on("end", () => {
        // After what was written has left: the commit must not hold the answer's text back.
        setImmediate(() => {
          keep.run(session, text, Buffer.concat(answered).toString());
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
