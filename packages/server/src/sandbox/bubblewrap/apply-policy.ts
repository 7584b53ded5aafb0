import type { SandboxPolicy } from "../sandbox.ts";
import { shownPolicy } from "../shown-policy.ts";
import type { Life, Surroundings } from "./life.ts";
import type { Lives } from "./lives.ts";
import { type SandboxRecord, updateRecord } from "./record.ts";

/**
 * Holds a living sandbox to another policy. Sizes of /tmp and /dev/shm, open files and the size of a file stay as they were when
 * it was made. Afterwards its policy is what is in force: limits as they were read back from the kernel. Rejects with
 * `egress_rule_invalid` and `sandbox_capacity`, and changes nothing then.
 */
export async function applyPolicy(
  { host }: Surroundings,
  { life, lives, policy }: { life: Life; lives: Lives; policy: SandboxPolicy },
): Promise<void> {
  const { id } = life.record;
  const before = life.policy;
  lives.resize(id, policy.limits.memoryBytes);
  try {
    life.egress.setPolicy(policy.egress);
  } catch (thrown) {
    lives.resize(id, before.limits.memoryBytes);
    throw thrown;
  }
  const { tmpBytes, shmBytes, openFiles, fileBytes } = before.limits;
  const { diskBytes, inodes } = policy.limits;
  const grouped = await life.group?.apply(policy.limits);
  const disk = await life.workspace?.limit({ diskBytes, inodes });
  const limits = { ...policy.limits, tmpBytes, shmBytes, openFiles, fileBytes, ...grouped, ...disk };
  lives.resize(id, limits.memoryBytes);
  life.policy = { egress: policy.egress, limits };
  const { record } = life;
  life.record = { ...record, policy: shownPolicy(life.policy) as SandboxRecord["policy"] };
  // A warm one is mostly claimed with the policy that it was made with.
  if (JSON.stringify(life.record) === JSON.stringify(record)) return;
  await updateRecord(`${host.places.sandboxes}/${id}`, life.record);
}
