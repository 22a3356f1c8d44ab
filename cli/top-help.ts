import { exitCodes } from './exit-codes.ts';

/** What `jig --help` shows below the list of commands. */
export const topHelp = `
Start here:
  jig demo                                   a real run on a real repository; no setup needed
  jig up                                     in one terminal: everything that runs need
  jig run python-utcnow --repo ../api --follow
                                             in another: a blueprint that ships with Jig, on your repository
  jig diff                                   what the last run changed
  jig check my-blueprint.yaml                every problem of a blueprint, with its line

A RUN is \`-\` or left out for the last one, the end of an id that only one run has (\`9742\`), or a whole id.
A BLUEPRINT is a folder with a blueprint.yaml in it, one YAML file, or the name of a blueprint in blueprints/library.

Environment:
  OPENAI_API_KEY, OPENAI_BASE_URL, JIG_MODEL the model: any server that speaks the OpenAI protocol
  TEMPORAL_ADDRESS, TEMPORAL_PROFILE, …      the Temporal to use, as in Temporal's own tools; by default that of \`jig up\`
  JIG_DATA_DIR                               where runs, changes and mirrors are kept
  JIG_DEBUG=1                                print stack traces; NO_COLOR=1: no colours

Exit codes:
  ${exitCodes.done} succeeded, or nothing to do   ${exitCodes.failed} failed   ${exitCodes.badInput} bad input, nothing started   ${exitCodes.needsHuman} needs a human
  ${exitCodes.cancelled} cancelled   ${exitCodes.internal} Jig itself failed   ${exitCodes.detached} stopped following; the run goes on
`;
