// The floor of the token bench: fetch, parse each event of the model, write one to the client. Nothing is kept.
//   relay.ts <port of the model>
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const url = `http://127.0.0.1:${process.argv[2]}/v1/chat/completions`;

async function relay(body: Buffer, outgoing: ServerResponse): Promise<void> {
  const answer = await fetch(url, { method: "POST", body: new Uint8Array(body) });
  outgoing.writeHead(answer.status, { "content-type": "text/event-stream" });
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of answer.body ?? []) {
    rest += decoder.decode(chunk, { stream: true });
    for (let end = rest.indexOf("\n\n"); end !== -1; end = rest.indexOf("\n\n")) {
      const data = rest.slice(6, end);
      rest = rest.slice(end + 2);
      if (data === "[DONE]") continue;
      const event = JSON.parse(data) as { choices: { delta: { content?: string } }[] };
      const text = event.choices[0]?.delta.content;
      if (text !== undefined) outgoing.write(`event: delta\ndata: ${JSON.stringify({ text })}\n\n`);
    }
  }
  outgoing.end();
}

const server = createServer((incoming, outgoing) => {
  const chunks: Buffer[] = [];
  incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
  incoming.on("end", () => void relay(Buffer.concat(chunks), outgoing).catch(() => outgoing.destroy()));
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => server.close().closeAllConnections());
