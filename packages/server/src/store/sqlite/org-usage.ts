import { BerthError } from "../../lib/errors.ts";
import type { OrgUsage } from "../usage.ts";
import { pageOfRows } from "./queries/page.ts";
import { sumUsage } from "./queries/usage.ts";
import type { Reader } from "./reader.ts";

export function orgUsage({ reader, orgId }: { readonly reader: Reader; readonly orgId: string }): OrgUsage {
  return {
    async sum(filter) {
      const { groupBy, sessionId, limit } = filter;
      if (sessionId === undefined && (groupBy === "run" || groupBy === "session"))
        throw new BerthError("internal", "runs are summed within a session");
      return reader.read((sql) => pageOfRows(sumUsage(sql, orgId, filter), limit, ({ key }) => key));
    },
  };
}
