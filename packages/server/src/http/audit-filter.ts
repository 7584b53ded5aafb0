import { defined } from "./query.ts";

interface Times {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** A query about the audit log with its times as numbers, and without what was not given. */
export function auditFilter<T extends Times>({ from, to, ...rest }: T) {
  return defined({
    ...rest,
    from: from === undefined ? undefined : Date.parse(from),
    to: to === undefined ? undefined : Date.parse(to),
  });
}
