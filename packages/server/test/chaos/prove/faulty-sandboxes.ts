import { sandboxRules } from "../sandboxes/sandboxes.ts";
import type { Edit } from "./without-start-mark.ts";

/** A fault that is put into a copy of the server, and the rule that has to find it. */
export interface PlantedFault {
  readonly name: string;
  readonly what: string;
  readonly edits: readonly Edit[];
  readonly rule: string;
}

const ending = "packages/server/src/allocation/ending-sandboxes.ts";

export const faultySandboxes: readonly PlantedFault[] = [
  {
    name: "groups",
    what: "the provider forgets to remove control groups",
    edits: [
      {
        file: "packages/server/src/sandbox/bubblewrap/remains.ts",
        find: "removeGroup(record.groups)",
        replace: "removeGroup([])",
      },
    ],
    rule: sandboxRules.nothing,
  },
  {
    name: "folders",
    what: "the provider forgets the record and folder of what a dead server had",
    edits: [
      {
        file: "packages/server/src/sandbox/bubblewrap/left-behind.ts",
        find: `        await removeRemains(surroundings, record, { thorough: true });
        return true;`,
        replace: "        return true;",
      },
    ],
    rule: sandboxRules.nothing,
  },
  {
    name: "rows",
    what: "the row of a sandbox that has ended stays live",
    edits: [{ file: ending, find: 'to: "destroyed",', replace: 'to: "destroying",' }],
    rule: sandboxRules.equal,
  },
  {
    name: "workspaces",
    what: "the workspace goes with its sandbox",
    edits: [
      {
        file: ending,
        find: '      step("allocation.destroyed");',
        replace: `      if (host !== null && record.workspaceId !== null)
        await provider.workspaces.remove({ id: record.workspaceId, host });
      step("allocation.destroyed");`,
      },
    ],
    rule: sandboxRules.files,
  },
];
