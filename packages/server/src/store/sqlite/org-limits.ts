import type { Clock } from "../../lib/clock.ts";
import type { OrgLimits } from "../limits.ts";
import { findShare, listQuotas } from "./queries/quotas.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

export function orgLimits(parts: {
  readonly writer: Writer;
  readonly reader: Reader;
  readonly orgId: string;
  readonly clock: Clock;
}): OrgLimits {
  const { writer, reader, orgId, clock } = parts;
  return {
    quotas: () => reader.readTogether((sql) => listQuotas(sql, orgId, clock.now())),
    setQuotas: (change) => writer.run("setQuotas", { orgId, ...change }),
    share: () => reader.readTogether((sql) => findShare(sql, orgId)),
  };
}
