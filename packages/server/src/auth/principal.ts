import type { Permission } from "./permissions.ts";

/** Who is calling: a user or a service account, in one organization. */
export interface Principal {
  readonly type: "user" | "service";
  readonly id: string;
  readonly name: string;
  readonly orgId: string;
  readonly permissions: ReadonlySet<Permission>;
}
