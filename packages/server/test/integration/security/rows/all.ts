import type { Rows } from "../../../support/security/matrix-row.ts";
import { agentRows } from "./agents.ts";
import { fileRows } from "./files.ts";
import { serverRows } from "./server.ts";
import { sessionRows } from "./sessions.ts";

/** Every endpoint of the API by its id; one that is missing fails the matrix. */
export const rows: Rows = { ...sessionRows, ...fileRows, ...agentRows, ...serverRows };
