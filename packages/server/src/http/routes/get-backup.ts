import { backup } from "@berth/contract";
import { getBackup } from "../../operations/backups.ts";
import { endpoint } from "../endpoint.ts";
import { backupPath } from "../path-params.ts";

export const getBackupRoute = endpoint({
  id: "getBackup",
  method: "get",
  path: "/api/v1/backups/{backupName}",
  tag: "data",
  summary: "One backup, and how far it is",
  params: backupPath,
  replies: { 200: { description: "The backup.", schema: backup } },
  problems: ["backup_not_found"],
  async handle({ operations, principal, params }) {
    return { status: 200, body: await getBackup(operations, principal, params) };
  },
});
