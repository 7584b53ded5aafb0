// The least that a server of event streams can do: node:http, a set of responses, one buffer for all.
import { createServer, type ServerResponse } from "node:http";
import { benchEvent, streamHeaders } from "./event.ts";
import { serveBench } from "./side.ts";

const responses = new Set<ServerResponse>();
const server = createServer((_request, response) => {
  response.writeHead(200, streamHeaders);
  response.write("retry: 1000\n\n");
  responses.add(response);
  response.on("close", () => responses.delete(response));
});

let seq = 0;
serveBench(server, () => {
  const { type, json } = benchEvent((seq += 1));
  return () => {
    const bytes = Buffer.from(`id: 1.${seq}\nevent: ${type}\ndata: ${json}\n\n`);
    for (const response of responses) response.write(bytes);
  };
});
