import type { Clock } from "../../lib/clock.ts";
import type { OrgBudgets } from "../budgets.ts";
import { findBudgetRecord, limitedUnitsOf, listBudgetRecords } from "./queries/budgets.ts";
import { pageOfRows } from "./queries/page.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

export interface OrgBudgetParts {
  readonly writer: Writer;
  readonly reader: Reader;
  readonly clock: Clock;
  readonly orgId: string;
}

export function orgBudgets({ writer, reader, clock, orgId }: OrgBudgetParts): OrgBudgets {
  return {
    create: (change) => writer.run("createBudget", { orgId, ...change }),
    update: (change) => writer.run("updateBudget", { orgId, ...change }),
    remove: (change) => writer.run("removeBudget", { orgId, ...change }),
    allow: (change) => writer.run("allowBudget", { orgId, ...change }),
    find: (id) => reader.read((sql) => findBudgetRecord(sql, { orgId, id, at: clock.now() })),
    list: (filter) =>
      reader.read((sql) => {
        const rows = listBudgetRecords(sql, { orgId, at: clock.now(), ...filter });
        return pageOfRows(rows, filter.limit, ({ id }) => id);
      }),
    limitedUnits: (targets) => reader.read((sql) => limitedUnitsOf(sql, orgId, targets)),
  };
}
