/** Makes the page of the test runners that are understood, from the readers themselves. */
import { runners } from '../evidence/read-tests.ts';

export function runnersPage(): string {
  const rows = runners.map(({ name, reads }) => `| ${name} | ${reads} |`);
  return `<!-- Made by \`npm run docs\` from evidence/read-tests.ts. Changes here are overwritten. -->
# Test runners

A check decides by its exit code and by its tests, before the change and after it. How many tests there are is read from these, in this order:

1. **Reports.** \`counts\` of a \`check\` or an \`agent\` step names them: JUnit XML, TAP or the events of \`go test -json\`. Only files that the command wrote in this run count. The reports of Maven and Gradle are found without \`counts\`, where a command names \`mvn\`, \`gradle\` or their wrappers. Later checks of the same command look there too.

   \`\`\`yaml
     - id: before
       check: [ pytest -q --junit-xml=build/tests.xml ]
       gate: baseline
       counts: [ build/tests.xml ]
   \`\`\`

2. **Output.** Of a command that runs several runners, all summaries are added up. An output of more than 16 MiB is not read.

| Runner | What is read of its output |
|---|---|
${rows.join('\n')}

tox, nox, make, npm scripts and the like show the output of these.

A summary counts only in its whole form and at its place. If a count can't be trusted, it is not used, and the evidence says why.

## What decides

- An exit code other than 0 fails, unless the same failed before the change: only tests that failed then, by their names, and no more of them; or, where no names are known, the same exit code and no new line in the output. Times, places and other numbers in a line don't make it new.
- What was flaky before the change, when \`gate: baseline\` ran a failing command a second time, is excused like what failed. What is flaky only after it fails, and is called flaky.
- Tests that disappear fail the check, whatever the exit code. So do more tests that are skipped, deselected or expected to fail, and counts that were there before and are gone.
- An exit code of 0 fails if its runner says that more tests fail than before.
- A command that could not do its work excuses nothing and never passes: a program is missing, a download failed, a limit or a deadline was reached, a signal ended it, or its runner broke off. Where the surroundings are the reason, the run ends as [\`environment\`](../errors/environment.md) before more is spent.

Tests can write what they like, so counts show what got lost by accident. They are no defence against tests that were written to deceive.
`;
}
