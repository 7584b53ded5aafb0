import { mkdir, readdir, readFile, rename, unlink, writeFile } from "node:fs/promises";
import { checkWorkspaceId } from "../sandbox-id.ts";

/** Whose workspace is whose: several servers may use one host, and the provider knows no deployments of workspaces. */
export interface WorkspaceOwners {
  ownerOf(workspaceId: string): string | null;
  /** Durable when it resolves. */
  set(workspaceId: string, deployment: string): Promise<void>;
  forget(workspaceId: string): Promise<void>;
}

/** Kept as one small file each in a folder, which is made when it is missing. */
export async function openWorkspaceOwners(folder: string): Promise<WorkspaceOwners> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const owners = new Map<string, string>();
  for (const name of await readdir(folder)) {
    if (name.endsWith(".new")) await unlink(`${folder}/${name}`);
    else owners.set(name, await readFile(`${folder}/${name}`, "utf8"));
  }
  return {
    ownerOf: (workspaceId) => owners.get(workspaceId) ?? null,
    async set(workspaceId, deployment) {
      checkWorkspaceId(workspaceId);
      const target = `${folder}/${workspaceId}`;
      await writeFile(`${target}.new`, deployment, { mode: 0o600, flush: true });
      await rename(`${target}.new`, target);
      owners.set(workspaceId, deployment);
    },
    async forget(workspaceId) {
      checkWorkspaceId(workspaceId);
      if (!owners.delete(workspaceId)) return;
      await unlink(`${folder}/${workspaceId}`);
    },
  };
}
