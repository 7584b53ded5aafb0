import { backup } from "@berth/contract";
import { startBackup } from "../../operations/backups.ts";
import { endpoint } from "../endpoint.ts";
import { emptyBody } from "../path-params.ts";
import { replayHeaders } from "../settled-answer.ts";

export const createBackupRoute = endpoint({
  id: "createBackup",
  method: "post",
  path: "/api/v1/backups",
  tag: "data",
  rate: "heavy",
  summary: "Begins a backup of the whole server",
  description:
    "The server goes on meanwhile. The file lies in `backupDir` on the server, sealed; nothing can be downloaded.",
  body: emptyBody,
  bodyOptional: true,
  replies: { 202: { description: "It has begun.", schema: backup } },
  problems: ["backup_running"],
  async handle({ operations, principal, origin }) {
    const started = await startBackup(operations, principal, origin);
    return { status: 202, body: started.backup, headers: replayHeaders(started) };
  },
});
