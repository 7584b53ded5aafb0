import { describe } from "vitest";
import { accessConformance } from "./conformance/access.conformance.ts";
import { agentsConformance } from "./conformance/agents.conformance.ts";
import { auditConformance } from "./conformance/audit.conformance.ts";
import { budgetWaitsConformance } from "./conformance/budget-waits.conformance.ts";
import { budgetsConformance } from "./conformance/budgets.conformance.ts";
import { credentialsConformance } from "./conformance/credentials.conformance.ts";
import { dataConformance } from "./conformance/data.conformance.ts";
import { erasuresConformance } from "./conformance/erasures.conformance.ts";
import { fencingConformance } from "./conformance/fencing.conformance.ts";
import { forksConformance } from "./conformance/forks.conformance.ts";
import { historyConformance } from "./conformance/history.conformance.ts";
import { holdingConformance } from "./conformance/holding.conformance.ts";
import { identityConformance } from "./conformance/identity.conformance.ts";
import { invitationsConformance } from "./conformance/invitations.conformance.ts";
import { isolationConformance } from "./conformance/isolation.conformance.ts";
import { limitsConformance } from "./conformance/limits.conformance.ts";
import { listsConformance } from "./conformance/lists.conformance.ts";
import { mailboxConformance } from "./conformance/mailbox.conformance.ts";
import { peopleConformance } from "./conformance/people.conformance.ts";
import { projectionsConformance } from "./conformance/projections.conformance.ts";
import { requestsConformance } from "./conformance/requests.conformance.ts";
import { sandboxHistoryConformance } from "./conformance/sandbox-history.conformance.ts";
import { sandboxesConformance } from "./conformance/sandboxes.conformance.ts";
import type { OpenStore } from "./conformance/scene.conformance.ts";
import { systemConformance } from "./conformance/system.conformance.ts";
import { vaultConformance } from "./conformance/vault.conformance.ts";
import { workspaceMovesConformance } from "./conformance/workspace-moves.conformance.ts";

const areas = [
  fencingConformance,
  mailboxConformance,
  holdingConformance,
  requestsConformance,
  historyConformance,
  forksConformance,
  listsConformance,
  projectionsConformance,
  agentsConformance,
  systemConformance,
  auditConformance,
  limitsConformance,
  vaultConformance,
  isolationConformance,
  identityConformance,
  peopleConformance,
  invitationsConformance,
  credentialsConformance,
  accessConformance,
  budgetsConformance,
  budgetWaitsConformance,
  dataConformance,
  erasuresConformance,
  sandboxesConformance,
  sandboxHistoryConformance,
  workspaceMovesConformance,
];

/** What every store must do. `open` gives an empty one each time; the tests of one area share it, each in orgs of its own. */
export function storeConformance(name: string, open: OpenStore): void {
  describe(`store: ${name}`, () => {
    for (const area of areas) area(open);
  });
}
