import type { Config } from "../config/schema.ts";
import { createEdge, type Edge } from "../http/edge.ts";
import { watchOverload } from "../http/overload.ts";
import { createAddressSet } from "../lib/addresses.ts";
import { createAdmission } from "../limits/admission.ts";
import { openOrgRules } from "../limits/org-rules.ts";
import { createRateLimits } from "../limits/rate-limits.ts";
import type { Ports } from "./ports.ts";
import { thisMachine } from "./transport.ts";

/** What every request has to pass, as the configuration says. */
export async function openEdge(
  config: Config,
  ports: Pick<Ports, "store" | "bus" | "clock" | "counter">,
): Promise<{ readonly edge: Edge; readonly stop: () => void }> {
  const { clock, counter } = ports;
  const rules = await openOrgRules(ports);
  const settings = {
    read: config.rateRead,
    write: config.rateWrite,
    heavy: config.rateHeavy,
    login: config.rateLogin,
    principalFactor: config.ratePrincipalFactor,
    orgFactor: config.rateOrgFactor,
    addressFactor: config.rateAddressFactor,
  };
  const overload = watchOverload(clock, { maxRequests: config.maxRequests, lateMs: config.overloadDelay });
  const edge = createEdge({
    admission: createAdmission({
      rules,
      rates: config.rateLimits ? createRateLimits({ counter, settings }) : null,
      uncounted: createAddressSet(thisMachine),
      adminAllow: createAddressSet(config.adminAllow),
    }),
    overload,
    cors: { origins: new Set(config.corsOrigins) },
    urlBytes: config.urlLimit,
  });
  return {
    edge,
    stop() {
      rules.stop();
      overload.stop();
    },
  };
}
