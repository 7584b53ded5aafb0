import { z } from "zod";
import { sandboxAllocationStrategy } from "./user-config.ts";

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
// What ends in a number is an address to whoever dials it, however it is written: 2130706433, 0x7f.1.
const lastLabel = /^[a-z]/;

function isName(name: string): boolean {
  const labels = name.split(".");
  return name.length <= 253 && labels.every((one) => label.test(one)) && lastLabel.test(labels.at(-1) ?? "");
}

function isHostPattern(host: string): boolean {
  if (host.startsWith("*.")) return host.slice(2).includes(".") && isName(host.slice(2));
  return isName(host) || z.ipv4().safeParse(host).success || z.ipv6().safeParse(host).success;
}

/** A place that a sandbox may reach: a name, `*.` and a name for every name below it, or an address. */
export const egressHost = z
  .string()
  .max(255)
  .refine(
    isHostPattern,
    "must be a name in lower case (api.example.com), every name below one (*.example.com) or an IP address",
  );

export const agentEgressRule = z.strictObject({
  host: egressHost,
  ports: z.array(z.int().min(1).max(65_535)).min(1).max(20).optional().describe("default: 80 and 443"),
});

/** Variables that change how programs are found, loaded or run, or that the sandbox sets itself. */
const reserved =
  /^(path|home|user|logname|shell|pwd|oldpwd|tmpdir|ifs|env|term|lang|output_dir|bash_.*|bashopts|shellopts|prompt_command|ps[0-4]|ld_.*|lc_.*|dyld_.*|glibc_.*|malloc_.*|gconv_path|locpath|nlspath|hostaliases|resolv_host_conf|res_options|node_.*|npm_.*|python.*|perl.*|ruby.*|java_tool_options|git_.*|ssl_.*|(http|https|ftp|all|no)_proxy|berth_.*)$/i;

export const secretVariable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, "must be the name of a variable, for example API_TOKEN")
  .refine((name) => !reserved.test(name), "is a name that sandboxes keep for themselves; choose another");

/** Of a secret of the organization that sandboxes may use. */
export const sandboxSecretName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must be lower-case letters, digits and dashes, at most 63 characters");

/** The variable holds a placeholder; requests to these hosts carry the secret in its place, and the sandbox never has it. */
export const agentSecret = z.strictObject({
  env: secretVariable,
  secret: sandboxSecretName,
  hosts: z.array(egressHost).min(1).max(20).describe("each is one of the hosts of egress"),
});

/** What an agent wants of the sandbox of its sessions. What is not named is as the operator says, who also sets the most there can be. */
export const agentSandbox = z
  .strictObject({
    strategy: sandboxAllocationStrategy.optional().describe("default: as the session's owner chose"),
    memory: z.int().min(64).max(1_048_576).optional().describe("MiB"),
    cpus: z.number().min(0.05).max(64).optional().describe("0.5 for half of one"),
    disk: z.int().min(16).max(20_480).optional().describe("MiB of the workspace"),
    egress: z
      .array(agentEgressRule)
      .max(100)
      .default([])
      .describe("what its commands may reach; nothing else can be reached"),
    secrets: z.array(agentSecret).max(20).default([]),
  })
  .superRefine(({ egress, secrets }, issues) => {
    const reachable = new Set(egress.map(({ host }) => host));
    const names = new Set<string>();
    for (const [at, { env, hosts }] of secrets.entries()) {
      if (names.has(env))
        issues.addIssue({ code: "custom", path: ["secrets", at, "env"], message: "is there twice" });
      names.add(env);
      const missing = hosts.find((host) => !reachable.has(host));
      if (missing !== undefined)
        issues.addIssue({
          code: "custom",
          path: ["secrets", at, "hosts"],
          message: `${missing} is no host of egress: name it there as well`,
        });
    }
  });
export type AgentSandbox = z.infer<typeof agentSandbox>;
