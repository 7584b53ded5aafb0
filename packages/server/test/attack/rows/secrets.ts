import { type Finding, needsNamespaces, type Row } from "../row.ts";
import type { Runner } from "../target.ts";

const look = `
env; set
for p in /proc/[0-9]*; do tr '\\0' '\\n' <$p/environ; tr '\\0' ' ' <$p/cmdline; ls -l $p/fd $p/cwd $p/root; done
cat /proc/self/mountinfo /proc/self/cgroup /proc/1/cgroup /proc/mounts /etc/passwd /etc/hostname
ls -la / /root /home /etc /run /var /srv`;

async function lookForSecrets(runner: Runner, secrets: readonly string[]): Promise<Finding> {
  const { output } = await runner.run(`{ ${look}\n} 2>/dev/null`);
  const found = secrets.filter((secret) => output.includes(secret));
  const leaks = found.map((secret) => `it found ${secret.slice(0, 4)}…`);
  if (/dep_[0-9a-f]{32}/.test(output)) leaks.push("it found the id of the server's deployment");
  if (output.length < 200) leaks.push(`the probe did not run: ${output}`);
  return { leaks, seen: `${output.length} characters searched, ${secrets.length} secrets not in them` };
}

export const secretRows: readonly Row[] = [
  {
    id: "SBX-02",
    name: "Environment and processes of the server",
    without: needsNamespaces,
    run: async (target) => lookForSecrets(await target.tenant(), target.secrets),
    naive: (host) => lookForSecrets(host, host.secrets),
  },
];
