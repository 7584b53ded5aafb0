import type { Tool } from "../tool.ts";
import { bashKill } from "./bash-kill.ts";
import { bashLogs } from "./bash-logs.ts";
import { bashRun } from "./bash-run.ts";
import { codeExecute } from "./code-execute.ts";
import { delegateTool } from "./delegate.ts";
import { fsEdit } from "./fs-edit.ts";
import { fsGlob } from "./fs-glob.ts";
import { fsGrep } from "./fs-grep.ts";
import { fsRead } from "./fs-read.ts";
import { fsWrite } from "./fs-write.ts";
import { portOpen } from "./port-open.ts";
import { todoRead } from "./todo-read.ts";
import { todoWrite } from "./todo-write.ts";
import { webFetch } from "./web-fetch.ts";

/** The tools that come with the server. */
export const builtinTools: readonly Tool[] = [
  fsRead,
  fsWrite,
  fsEdit,
  fsGlob,
  fsGrep,
  bashRun,
  bashLogs,
  bashKill,
  codeExecute,
  portOpen,
  todoRead,
  todoWrite,
  webFetch,
  delegateTool,
];
