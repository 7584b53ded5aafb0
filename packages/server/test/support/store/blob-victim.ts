// Puts one blob with a failpoint armed; never gets past it.
import { armFailpoint } from "../../../src/lib/failpoint.ts";
import { createDiskBlobs } from "../../../src/store/disk/blobs.ts";

const [dataDir = "", failpoint = "", text = ""] = process.argv.slice(2);
armFailpoint(failpoint);
const blobs = createDiskBlobs({ dataDir, note: async () => void process.stdout.write("noted\n") });
await blobs.put("org_1", new TextEncoder().encode(text));
process.stdout.write("put\n");
