import { secret } from "../setting-kinds.ts";

const keyPattern = { pattern: /^[\u0021-\u007e]{1,512}$/, type: "at least 32 random characters" };

export const secretSettings = {
  masterKey: secret({
    ...keyPattern,
    help: "Seals what is kept secret in the store (provider keys and the like). Mode `single` makes one in `server.keys`; `multi` needs it here.",
  }),
  previousMasterKey: secret({
    ...keyPattern,
    help: "The master key before this one, so that `berth vault rotate` can seal anew what it has sealed.",
  }),
  keyPepper: secret({
    ...keyPattern,
    help: "Under which API keys are hashed. When it changes, every API key stops working.",
  }),
  backupKey: secret({
    ...keyPattern,
    help: "Seals backups. Without it a key is made from the master key.",
  }),
  auditKey: secret({
    ...keyPattern,
    help: "Of the chain that shows whether the audit log was changed. When it changes, older entries cannot be verified.",
  }),
} as const;
