import { backup, pageOf } from "@berth/contract";
import { listBackups } from "../../operations/backups.ts";
import { endpoint } from "../endpoint.ts";

export const listBackupsRoute = endpoint({
  id: "listBackups",
  method: "get",
  path: "/api/v1/backups",
  tag: "data",
  summary: "The backups that there are, newest first",
  replies: { 200: { description: "All of them.", schema: pageOf(backup) } },
  async handle({ operations, principal }) {
    return { status: 200, body: { items: await listBackups(operations, principal), next: null } };
  },
});
