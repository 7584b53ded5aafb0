import { Counter, Gauge, type Registry } from "prom-client";

/** The process itself. What is read from Node is read when somebody looks. */
export function processMetrics(registry: Registry, version = "unknown") {
  const registers = [registry];
  const buildInfo = new Gauge({
    name: "berth_build_info",
    help: "Always 1; the labels say what runs.",
    labelNames: ["version", "node"],
    registers,
  });
  buildInfo.set({ version, node: process.version }, 1);
  return {
    buildInfo,
    memory: new Gauge({
      name: "berth_process_memory_bytes",
      help: "Memory of the process, by kind.",
      labelNames: ["kind"],
      registers,
      collect() {
        const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
        this.set({ kind: "rss" }, rss);
        this.set({ kind: "heap_used" }, heapUsed);
        this.set({ kind: "external" }, external);
        this.set({ kind: "array_buffers" }, arrayBuffers);
      },
    }),
    cpuSeconds: new Counter({
      name: "berth_process_cpu_seconds_total",
      help: "CPU time of the process, user and system.",
      registers,
      collect() {
        const { user, system } = process.cpuUsage();
        this.reset();
        this.inc((user + system) / 1e6);
      },
    }),
    uptimeSeconds: new Gauge({
      name: "berth_process_uptime_seconds",
      help: "How long the process runs.",
      registers,
      collect() {
        this.set(process.uptime());
      },
    }),
    eventLoopDelay: new Gauge({
      name: "berth_event_loop_delay_seconds",
      help: "How late the event loop was in the last interval, by quantile.",
      labelNames: ["quantile"],
      registers,
    }),
    unexpectedErrors: new Counter({
      name: "berth_unexpected_errors_total",
      help: "Errors that nothing handles, by where they were caught. Each has a line in the log, at level debug while the store cannot be written.",
      labelNames: ["where"],
      registers,
    }),
  };
}
