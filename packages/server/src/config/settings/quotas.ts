import { byteSize, integer } from "../setting-kinds.ts";
import { optional } from "../setting.ts";

const count = (what: string) =>
  optional(
    integer({
      default: 0,
      min: 0,
      max: 1_000_000_000,
      help: `${what} Not set: no limit. The operator may set another for each organization.`,
    }),
  );

/** What an organization may have, unless its own quota says otherwise. */
export const quotaSettings = {
  quotaSessions: count("How many sessions an organization may have, archived ones included."),
  quotaRunningSessions: count("How many of its sessions may run at once; those that wait do not count."),
  quotaStoredBytes: optional(
    byteSize({
      default: "0B",
      min: "0B",
      max: "1048576GiB",
      help: "How many bytes of files it may store, each content once. Not set: no limit. The operator may set another for each organization.",
    }),
  ),
  quotaAgents: count("How many agents it may have, archived ones left out."),
  quotaApiKeys: count("How many API keys that work it may have."),
  quotaMembers: count("How many members it may have."),
} as const;
