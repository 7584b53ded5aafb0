import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** HTTP requests and open streams. */
export function connectionMetrics(registry: Registry) {
  const registers = [registry];
  return {
    httpRequests: new Counter({
      name: "berth_http_requests_total",
      help: "HTTP requests, by method, route template and status.",
      labelNames: ["method", "route", "status"],
      registers,
    }),
    httpSeconds: new Histogram({
      name: "berth_http_request_seconds",
      help: "Time to answer an HTTP request; of a stream, to its headers.",
      labelNames: ["route"],
      buckets: [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      registers,
    }),
    streamClients: new Gauge({
      name: "berth_stream_clients",
      help: "Clients that follow events now, by transport.",
      labelNames: ["transport"],
      registers,
    }),
    streamsClosed: new Counter({
      name: "berth_streams_closed_total",
      help: "Streams that ended, by transport and by who ended them: the client, the server, or the server because the client was too slow.",
      labelNames: ["transport", "by"],
      registers,
    }),
  };
}
