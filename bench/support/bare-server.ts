// The least process that could be a server with a database: what node itself takes.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";

const db = new DatabaseSync(":memory:");
const server = createServer((_request, response) => response.end("ok"));
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => server.close(() => db.close()).closeAllConnections());
