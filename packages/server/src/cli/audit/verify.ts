import type { AuditVerdict } from "@berth/client";
import type { Command } from "commander";
import { configOf } from "../connection.ts";
import type { Actions } from "../context.ts";
import { exit } from "../exit.ts";
import { inOrg } from "../identity/org-option.ts";
import { readHolder } from "../lock-holder.ts";
import { safeText } from "../terminal/safe-text.ts";

const notes = `
A server that runs is asked, about one organization. Of a data folder that no server holds every organization's log is verified
here (with --org that one's), with the key of its server.keys or of BERTH_AUDIT_KEY. Ends with 1 when an entry is not what was sealed.`;

type Verdict = Pick<AuditVerdict, "ok" | "rows" | "firstBad" | "begins"> & {
  readonly unsealed: { readonly count: number };
};

export function bindAuditVerify(actions: Actions, audit: Command): void {
  const verify = inOrg(
    audit
      .command("verify")
      .description("Say whether the log is what was sealed, and name the first entry that is not.")
      .option(
        "--anchors <file>",
        "a copy of audit-anchors.jsonl that was kept elsewhere, for a stopped server",
      ),
  ).addHelpText("after", notes);
  actions.bind<{ readonly anchors?: string }>(verify, async ({ client, flags, io, print, signal }) => {
    const { config } = configOf(flags, io.env);
    const stopped = config.url === null && (await readHolder(config.data)) === null;
    if (!stopped) {
      const verdict = await (await client()).audit.verify({ signal });
      print(verdict, () => sentenceOf(verdict));
      return verdict.ok ? exit.ok : exit.failed;
    }
    // Loads the database driver.
    const { verifyFolder } = await import("../../roles/verify-audit.ts");
    const logs = await verifyFolder({ config, anchors: flags.anchors ?? null, org: flags.org ?? null });
    print(
      logs.map(({ orgId, slug, verdict }) => ({ orgId, slug, ...verdict })),
      () =>
        logs.map(({ orgId, slug, verdict }) => `${safeText(slug ?? orgId)}  ${sentenceOf(verdict)}`).join(""),
    );
    return logs.every(({ verdict }) => verdict.ok) ? exit.ok : exit.failed;
  });
}

function sentenceOf({ ok, rows, firstBad, begins, unsealed }: Verdict): string {
  const waiting = unsealed.count === 0 ? "" : ` ${unsealed.count} more wait for their seal.`;
  const from = begins === 1 ? "" : ` from number ${begins} on; older ones were removed with intent`;
  if (ok || firstBad === null) return `OK: ${rows} entries are what was sealed${from}.${waiting}\n`;
  const { number, id, why } = firstBad;
  return `NOT OK: entry ${number}${id === null ? "" : ` (${safeText(id)})`} ${meanings[why]}.\n`;
}

const meanings: Readonly<Record<NonNullable<AuditVerdict["firstBad"]>["why"], string>> = {
  changed: "does not say what it said when it was sealed",
  missing: "is missing, though there are later ones",
  reordered: "was sealed at another place of the log",
  clock_back: "is earlier than the one before it",
  truncated: "and what came after it is missing: the log once went on",
  replaced: "is not the one that was sealed with this number: the log was put back and went on",
  forged_cut: "is said to have been removed with intent, and was not",
  wrong_head: "is not the end that the log notes",
};
