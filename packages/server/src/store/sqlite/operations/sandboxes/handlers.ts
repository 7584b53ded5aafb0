import {
  activateSandbox,
  joinSandbox,
  leaveSandbox,
  moveSandbox,
  noteSandboxPolicy,
  touchSandboxes,
} from "./move.ts";
import {
  beginWorkspaceCopy,
  cancelWorkspaceCopies,
  claimLeftover,
  forgetLeftover,
  moveWorkspace,
  noteWorkspaceFilled,
} from "./move-workspace.ts";
import { reserveSandbox, reserveWarmSandbox } from "./reserve.ts";
import {
  beatInstance,
  ensureWorkspace,
  noteWorkspace,
  pruneSandboxes,
  removeInstance,
  removeWorkspace,
} from "./workspaces.ts";

/** The operations on sandboxes, by their names in the protocol. */
export const sandboxHandlers = {
  beatInstance,
  removeInstance,
  reserveSandbox,
  reserveWarmSandbox,
  moveSandbox,
  activateSandbox,
  joinSandbox,
  leaveSandbox,
  noteSandboxPolicy,
  touchSandboxes,
  ensureWorkspace,
  removeWorkspace,
  noteWorkspace,
  beginWorkspaceCopy,
  cancelWorkspaceCopies,
  moveWorkspace,
  noteWorkspaceFilled,
  claimLeftover,
  forgetLeftover,
  pruneSandboxes,
};
