/** Jig's command line. It finds the command, loads only that, and turns its ending into an exit code. */
import { Command, CommanderError } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { commands } from './commands.ts';
import { exitCodes } from './exit-codes.ts';
import { failureExitCode, failureJson, renderFailure } from './failure.ts';
import { paintErr, printJson } from './output.ts';
import { topHelp } from './top-help.ts';

/** Makes the program. Only the wanted command is loaded, so that the others cost nothing. */
async function createProgram(wanted: string | undefined): Promise<Command> {
  const program = new Command('jig')
    .description('Blueprints for background coding agents: deterministic steps guide the model.')
    .version(manifest.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .addHelpText('after', topHelp)
    .helpCommand('help [command]', 'show the help of a command');
  for (const [name, { summary, load }] of Object.entries(commands)) {
    const isWanted = name === wanted || wanted === 'help';
    program.addCommand((isWanted ? await load() : new Command(name)).summary(summary));
  }
  return throwOnExit(program);
}

/** Makes usage errors exceptions, at every level. */
function throwOnExit(command: Command): Command {
  command.exitOverride();
  for (const inner of command.commands) throwOnExit(inner);
  return command;
}

/** Runs one command line and returns the exit code. */
export async function runCommandLine(argv: string[]): Promise<number> {
  try {
    const program = await createProgram(argv[0]);
    await program.parseAsync(argv, { from: 'user' });
    return Number(process.exitCode ?? exitCodes.done);
  } catch (error) {
    // Commander has already printed what is wrong.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.badInput;
    if (argv.includes('--json')) printJson(failureJson(error));
    else
      process.stderr.write(`${renderFailure(error, { paint: paintErr, debug: Boolean(process.env['JIG_DEBUG']) })}\n`);
    return failureExitCode(error);
  }
}
