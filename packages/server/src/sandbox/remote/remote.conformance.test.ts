import { createRemoteRig } from "../../../test/support/sandbox/remote-rig.ts";
import { sandboxAttacks } from "../sandbox-attacks.conformance.ts";
import type { CreateHarness } from "../sandbox-harness.conformance.ts";
import { sandboxLives } from "../sandbox-lives.conformance.ts";
import { sandboxProcesses } from "../sandbox-processes.conformance.ts";
import { sandboxConformance } from "../sandbox.conformance.ts";

const overLocalProcess: CreateHarness = (options = {}) => createRemoteRig(options);

sandboxLives("remote, of local processes", overLocalProcess);
sandboxConformance("remote, of local processes", overLocalProcess);
sandboxProcesses("remote, of local processes", overLocalProcess);
sandboxAttacks("remote, of local processes", overLocalProcess);
