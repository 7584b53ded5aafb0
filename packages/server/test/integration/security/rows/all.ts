import type { Rows } from "../../../support/security/matrix-row.ts";
import { agentRows } from "./agents.ts";
import { budgetRows } from "./budgets.ts";
import { fileRows } from "./files.ts";
import { governanceRows } from "./governance.ts";
import { identityRows } from "./identity.ts";
import { loginRows } from "./login.ts";
import { sandboxRows } from "./sandboxes.ts";
import { serverRows } from "./server.ts";
import { sessionRows } from "./sessions.ts";
import { settingsRows } from "./settings.ts";

/** Every endpoint of the API by its id; one that is missing fails the matrix. */
export const rows: Rows = {
  ...sessionRows,
  ...fileRows,
  ...sandboxRows,
  ...agentRows,
  ...serverRows,
  ...identityRows,
  ...loginRows,
  ...settingsRows,
  ...governanceRows,
  ...budgetRows,
};
