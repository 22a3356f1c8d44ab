import { exitCodes } from './exit-codes.ts';

/** What `jig --help` shows below the list of commands. */
export const topHelp = `
Start here:
  jig demo                                   a real run on a real repository; needs nothing
  jig up                                     in one terminal: everything that runs need
  jig run python-utcnow --repo ../api --follow
                                             in another: a shipped blueprint on a repository of yours
  jig diff                                   what the last run changed
  jig check my-blueprint.yaml                every problem of a blueprint, with its line

A RUN is the last one where it is left out or \`-\`, the end of an id that fits one run (\`9742\`), or a whole id.
A BLUEPRINT is a folder with a blueprint.yaml in it, one YAML file, or the name of one in blueprints/library.

Environment:
  OPENAI_API_KEY, OPENAI_BASE_URL, JIG_MODEL the model: any server of the OpenAI protocol
  TEMPORAL_ADDRESS, TEMPORAL_PROFILE, …      the Temporal to use, as in Temporal's own tools; else \`jig up\`
  JIG_DATA_DIR                               where runs, changes and mirrors are kept
  JIG_DEBUG=1                                stacks of errors; NO_COLOR=1: no colours

Exit codes:
  ${exitCodes.done} succeeded, or nothing to do   ${exitCodes.failed} failed   ${exitCodes.badInput} bad input, nothing started   ${exitCodes.needsHuman} needs a human
  ${exitCodes.cancelled} cancelled   ${exitCodes.internal} Jig itself failed   ${exitCodes.detached} stopped looking; the run goes on
`;
