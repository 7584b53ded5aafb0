import { Gauge, type Registry } from "prom-client";

export type Read = () => number | Promise<number>;

/**
 * A gauge that is read when somebody looks: `watch` names the reader and returns the function that ends it. Several readers add up;
 * none means that the gauge is left out.
 */
export function watchedGauge(registry: Registry, name: string, help: string) {
  const readers = new Set<Read>();
  const gauge = new Gauge({
    name,
    help,
    registers: [registry],
    async collect() {
      this.reset();
      if (readers.size === 0) return this.remove();
      const values = await Promise.all([...readers].map(async (read) => read()));
      this.set(values.reduce((sum, value) => sum + value, 0));
    },
  });
  gauge.remove();
  return {
    watch(read: Read): () => void {
      const own: Read = () => read();
      readers.add(own);
      return () => void readers.delete(own);
    },
  };
}
