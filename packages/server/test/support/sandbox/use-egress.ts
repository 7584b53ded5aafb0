import { afterEach, beforeEach } from "vitest";
import { type EgressRig, openEgressRig, openUpstream, type RigOptions, type Upstream } from "./egress-rig.ts";

/** A server on the loopback for each test, and proxies that end with it. */
export function useEgress() {
  const ends: (() => Promise<void>)[] = [];
  let upstream: Upstream;
  beforeEach(async () => {
    upstream = await openUpstream();
    ends.push(upstream.close);
  });
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  });
  return {
    upstream: () => upstream,
    /** Ends after the test, the last one first. */
    onEnd: (end: () => Promise<void>) => void ends.push(end),
    rigOf: async (options: RigOptions): Promise<EgressRig> => {
      const rig = await openEgressRig(options);
      ends.push(rig.close);
      return rig;
    },
    /** A proxy that lets through to that server alone, under the name a.test. */
    rig: async (options: Partial<RigOptions> = {}): Promise<EgressRig> => {
      const allow = [{ host: "a.test", ports: [upstream.port] }];
      const rig = await openEgressRig({ allow, allowPrivate: ["127.0.0.0/8"], ...options });
      ends.push(rig.close);
      return rig;
    },
  };
}
