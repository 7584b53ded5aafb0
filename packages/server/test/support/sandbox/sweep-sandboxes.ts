import { existsSync } from "node:fs";
import { recordsOf, runFolderOf } from "./bubblewrap-remains.ts";
import { makeBubblewrap } from "./bubblewrap-rig.ts";

/** Removes what dead servers have left of their sandboxes below a data folder, as the next server's sweep does. */
export async function sweepSandboxes(dataDir: string): Promise<void> {
  const deployments = new Set(recordsOf(dataDir).map(({ deployment }) => deployment));
  if (deployments.size === 0 && !existsSync(runFolderOf(dataDir))) return;
  const { provider, warnings, close } = await makeBubblewrap({ dataDir });
  try {
    // With no sandbox there may be workspaces still.
    for (const deployment of deployments.size === 0 ? [""] : deployments)
      await provider.sweep("local", deployment);
  } finally {
    await close();
  }
  if (warnings.length > 0) throw new Error(warnings.join("\n"));
}
