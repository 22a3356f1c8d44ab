/** Reads reports that test runners write for machines: JUnit's XML, TAP, `go test -json`. */
import sax, { type QualifiedTag, type Tag } from 'sax';
import { readTests } from './read-tests.ts';
import { numbered, together, type Reading } from './runners/runner.ts';
import { tally } from './test-counts.ts';

/** A report as it was found. Its text is untrusted. */
export interface Report {
  path: string;
  text: string;
}

/** What all reports say together. Undefined if there are none. */
export function readReports(reports: readonly Report[]): Reading | undefined {
  return together(reports.map(readReport));
}

function readReport({ path, text }: Report): Reading {
  if (text.trimStart().startsWith('<')) return readJunit(path, text);
  return readTests([text]) ?? { doubt: `${path} is not a report that can be read` };
}

type How = 'passed' | 'failed' | 'skipped' | 'expectedFailures' | 'errors';

interface Case {
  name: string;
  how: How;
}

/**
 * Reads every `testcase`. The totals that suites state are not used, since runners disagree on what they count. The
 * parser knows no entities but XML's own, so a report can't grow.
 */
function readJunit(path: string, text: string): Reading {
  const cases: Case[] = [];
  const open: string[] = [];
  let suiteErrors = 0;
  let isReport = false;
  const reader = sax.parser(true);
  let fault: string | undefined;
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the parser is no event target
  reader.onerror = (error) => {
    fault ??= error.message.split('\n', 1)[0] ?? '';
    reader.resume();
  };
  reader.onopentag = ({ name, attributes }: Tag | QualifiedTag) => {
    const parent = open.at(-1);
    open.push(name);
    isReport ||= name === 'testsuite' || name === 'testsuites';
    const current = cases.at(-1);
    if (name === 'testcase') cases.push(newCase(attributes));
    else if (parent === 'testcase' && current)
      current.how = worse(current.how, howOf(name, textOf(attributes, 'type')));
    else if ((parent === 'testsuite' || parent === 'testsuites') && (name === 'error' || name === 'failure'))
      suiteErrors += 1;
  };
  reader.onclosetag = () => void open.pop();
  reader.write(text).close();
  if (fault !== undefined || !isReport)
    return { doubt: `${path} is not a whole report: ${fault ?? 'it has no test suite'}` };
  const count = (how: How): number => cases.filter((each) => each.how === how).length;
  const failed = cases.filter(({ how }) => how === 'failed' || how === 'errors').map(({ name }) => name);
  return {
    tests: tally({
      passed: count('passed'),
      failed: count('failed'),
      skipped: count('skipped'),
      expectedFailures: count('expectedFailures'),
      errors: count('errors') + suiteErrors,
      total: cases.length,
    }),
    ...(suiteErrors === 0 && { failures: numbered(failed) }),
  };
}

type Attributes = Tag['attributes'] | QualifiedTag['attributes'];

function newCase(attributes: Attributes): Case {
  const name = [textOf(attributes, 'classname'), textOf(attributes, 'name')].filter(Boolean).join(' ');
  const isSkipped = /^(?:disabled|notrun|skipped)$/i.test(textOf(attributes, 'status'));
  return { name, how: isSkipped ? 'skipped' : 'passed' };
}

function textOf(attributes: Attributes, name: string): string {
  const value = attributes[name];
  return typeof value === 'string' ? value : '';
}

/** What an element inside a `testcase` says of it; elements such as `flakyFailure` and `system-out` say nothing. */
function howOf(element: string, type: string): How {
  if (element === 'failure') return 'failed';
  if (element === 'error') return 'errors';
  if (element === 'skipped') return type === 'pytest.xfail' || type === 'todo' ? 'expectedFailures' : 'skipped';
  return 'passed';
}

/** A test that is still to be written may fail, and its failure doesn't count. */
const ranks: readonly How[] = ['passed', 'skipped', 'failed', 'errors', 'expectedFailures'];
const worse = (a: How, b: How): How => (ranks.indexOf(a) > ranks.indexOf(b) ? a : b);
