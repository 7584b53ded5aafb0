import type { Endpoint } from "./endpoint.ts";
import { createBackupRoute } from "./routes/create-backup.ts";
import { createErasureRoute } from "./routes/create-erasure.ts";
import { createExportRoute } from "./routes/create-export.ts";
import { deleteExportRoute } from "./routes/delete-export.ts";
import { downloadExportRoute } from "./routes/download-export.ts";
import { getBackupRoute } from "./routes/get-backup.ts";
import { getErasureRoute } from "./routes/get-erasure.ts";
import { getExportRoute } from "./routes/get-export.ts";
import { listBackupsRoute } from "./routes/list-backups.ts";
import { listErasuresRoute } from "./routes/list-erasures.ts";
import { listExportsRoute } from "./routes/list-exports.ts";

/** Copies of what the server holds, and what is to be forgotten. */
export const dataEndpoints: readonly Endpoint[] = [
  createBackupRoute,
  listBackupsRoute,
  getBackupRoute,
  createExportRoute,
  listExportsRoute,
  getExportRoute,
  downloadExportRoute,
  deleteExportRoute,
  createErasureRoute,
  listErasuresRoute,
  getErasureRoute,
];
