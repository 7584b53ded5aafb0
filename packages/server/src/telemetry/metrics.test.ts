import { describe, expect, it } from "vitest";
import { createMetrics } from "./metrics.ts";

describe("createMetrics", () => {
  it("gives a page in which every metric is named berth_ and says what it is", async () => {
    const metrics = createMetrics({ version: "1.2.3" });
    const page = await metrics.text();
    const names = page.match(/(?<=^# HELP )\S+/gm) ?? [];
    expect(names.length).toBeGreaterThan(30);
    expect(names.filter((name) => !/^berth_[a-z_]+$/.test(name))).toEqual([]);
    expect(page.match(/^# HELP \S+ .{10,}$/gm)).toHaveLength(names.length);
    expect(page).toContain(`berth_build_info{version="1.2.3",node="${process.version}"} 1`);
    expect(page).toMatch(/^berth_process_memory_bytes\{kind="rss"\} \d{6,}$/m);
    expect(page).toMatch(/^berth_process_cpu_seconds_total [\d.]+$/m);
    expect(metrics.contentType).toContain("text/plain");
  });

  it("keeps processes apart that live in one", async () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.steps.inc(3);
    expect(await one.text()).toContain("berth_steps_total 3");
    expect(await other.text()).toContain("berth_steps_total 0");
  });

  it("asks watched readers when somebody looks, and forgets those that end", async () => {
    const metrics = createMetrics();
    let waiting = 4;
    expect(await metrics.text()).not.toMatch(/^berth_queue_size/m);
    const stop = metrics.queueSize.watch(async () => waiting);
    const stopOther = metrics.queueSize.watch(() => 1);
    expect(await metrics.text()).toMatch(/^berth_queue_size 5$/m);
    waiting = 7;
    stopOther();
    expect(await metrics.text()).toMatch(/^berth_queue_size 7$/m);
    stop();
    expect(await metrics.text()).not.toMatch(/^berth_queue_size/m);
  });

  it("says so when a reader fails", async () => {
    const metrics = createMetrics();
    metrics.queueSize.watch(() => Promise.reject(new Error("store is closed")));
    await expect(metrics.text()).rejects.toThrow("store is closed");
  });
});
