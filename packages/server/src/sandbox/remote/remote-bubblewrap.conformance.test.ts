import { makeBubblewrap } from "../../../test/support/sandbox/bubblewrap-rig.ts";
import { createRemoteRig } from "../../../test/support/sandbox/remote-rig.ts";
import { sandboxAttacks } from "../sandbox-attacks.conformance.ts";
import type { CreateHarness } from "../sandbox-harness.conformance.ts";
import { sandboxLives } from "../sandbox-lives.conformance.ts";
import { sandboxProcesses } from "../sandbox-processes.conformance.ts";
import { sandboxConformance } from "../sandbox.conformance.ts";

const overBubblewrap: CreateHarness = (options = {}) => createRemoteRig({ ...options, make: makeBubblewrap });

sandboxLives("remote, of bubblewrap", overBubblewrap);
sandboxConformance("remote, of bubblewrap", overBubblewrap);
sandboxProcesses("remote, of bubblewrap", overBubblewrap);
sandboxAttacks("remote, of bubblewrap", overBubblewrap);
