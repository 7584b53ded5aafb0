import { BerthError } from "../../lib/errors.ts";
import { workspaceFileCalls } from "../protocol/file-calls.ts";
import { hostCalls, workspaceCalls } from "../protocol/host-calls.ts";
import { checkWorkspaceId } from "../sandbox-id.ts";
import type { Workspaces } from "../sandbox.ts";
import type { HostClient } from "./host-client.ts";
import { createRemoteFiles } from "./remote-files.ts";

/** Workspaces of hosts: each lies on the host where it was made. */
export function createRemoteWorkspaces({
  clientOf,
  deployment,
}: {
  /** Throws for a host that is not known. */
  readonly clientOf: (host: string) => HostClient;
  readonly deployment: string;
}): Workspaces {
  const on = (ref: { readonly id: string; readonly host: string }) => {
    checkWorkspaceId(ref.id);
    return { client: clientOf(ref.host), id: ref.id };
  };
  const inFolder = (folder: string | undefined) => (folder === undefined ? {} : { folder });

  return {
    async create(ref, { diskBytes, inodes }) {
      const { client, id } = on(ref);
      const args = { deployment, diskBytes, inodes };
      await client.call(workspaceCalls.make, { args, id, deployment });
    },
    async open(ref, { folder } = {}) {
      const { client, id } = on(ref);
      const args = inFolder(folder);
      const isThere = await client.call(workspaceCalls.open, { args, id, deployment }).catch(absent(false));
      if (!isThere) return null;
      return createRemoteFiles({ client, calls: workspaceFileCalls, id, deployment, folder });
    },
    async usage(ref) {
      const { client, id } = on(ref);
      return await client.call(workspaceCalls.usage, { args: {}, id, deployment }).catch(absent(null));
    },
    async remove(ref, { folder } = {}) {
      const { client, id } = on(ref);
      const args = inFolder(folder);
      return await client.call(workspaceCalls.delete, { args, id, deployment }).catch(absent(false));
    },
    list: async (host) =>
      await clientOf(host).call(hostCalls.workspaces, { args: { deployment }, id: "", deployment }),
  };
}

/** What stands for a workspace that there is not. */
function absent<T>(value: T): (thrown: unknown) => T {
  return (thrown) => {
    if (thrown instanceof BerthError && thrown.code === "workspace_not_found") return value;
    throw thrown;
  };
}
