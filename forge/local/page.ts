/** The page of a change: a Markdown file that a person can open. */
import { randomUUID } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { shellWord } from '../../base/shell-word.ts';
import type { Change, Check } from '../contract.ts';
import type { ChangeRecord } from './state.ts';

/** Writes a page. Readers see the old page or the new one. */
export async function writePage(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, text);
  await rename(temporary, path);
}

export function renderPage(view: {
  repository: string;
  gitDir: string;
  change: Change;
  record: ChangeRecord;
  checks: Check[];
}): string {
  const { repository, gitDir, change, record, checks } = view;
  const ended = record.ended ? ` by ${record.ended.by}: ${oneLine(record.ended.reason)}` : '';
  const from = record.ended ? `${record.ended.base}...${record.ended.head}` : `${change.base}...${change.branch}`;
  return (
    [
      `# ${oneLine(change.title)} (#${change.number})`,
      `${repository} · ${change.draft ? 'draft, ' : ''}**${change.state}**${ended} · \`${change.branch}\` → \`${change.base}\` · \`${change.headCommit.slice(0, 12)}\`${change.labels.map((label) => ` · ${oneLine(label)}`).join('')}`,
      `See the diff:\n\n${fenced(`git --git-dir=${shellWord(gitDir)} diff ${shellWord(from)}`)}`,
      change.body,
      '## Checks',
      checks.length === 0
        ? 'None.'
        : checks
            .map(
              (check) =>
                `- **${check.state}** ${oneLine(check.name)}${check.logExcerpt ? `\n\n${fenced(check.logExcerpt)}` : ''}`,
            )
            .join('\n'),
      '## Review',
      record.approvals.length === 0
        ? 'Nobody has approved this change.'
        : record.approvals
            .map(
              ({ by, at, commit }) =>
                `- ${oneLine(by)} approved \`${commit.slice(0, 12)}\` at ${at}${commit === change.headCommit ? '' : ' (an earlier commit)'}`,
            )
            .join('\n'),
      '## Comments',
      record.comments.length === 0
        ? 'None.'
        : record.comments.map(({ by, at, body }) => `**${oneLine(by)}**, ${at}:\n\n${body}`).join('\n\n---\n\n'),
    ].join('\n\n') + '\n'
  );
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

/**
 * Puts text into a code fence that is longer than any in the text, without escape sequences that a terminal would obey.
 */
function fenced(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${text.replaceAll(/(?![\n\t])\p{Cc}/gu, '�').trimEnd()}\n${fence}`;
}
