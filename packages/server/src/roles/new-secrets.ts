import { newKeyText } from "../auth/server-keys.ts";

/** New values for the secrets that a server of mode multi needs, by the names of their environment variables. */
export function newSecrets(): Readonly<Record<string, string>> {
  return {
    BERTH_ADMIN_KEY: `brt_${newKeyText()}`,
    BERTH_MASTER_KEY: newKeyText(),
    BERTH_KEY_PEPPER: newKeyText(),
    BERTH_AUDIT_KEY: newKeyText(),
    BERTH_BACKUP_KEY: newKeyText(),
  };
}
