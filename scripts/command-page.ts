/** Makes the page of the command line from each command's own help. */
import { Command } from 'commander';
import { commands } from '../cli/commands.ts';
import { topHelp } from '../cli/top-help.ts';

export async function commandPage(): Promise<string> {
  const sections = await Promise.all(
    Object.entries(commands).map(async ([name, { summary, load }]) => {
      const command = await load();
      new Command('jig').addCommand(command);
      const helps = [command, ...command.commands].map((each) => `\`\`\`text\n${helpOf(each)}\n\`\`\``);
      return `## jig ${name}\n\n${summary[0]?.toUpperCase()}${summary.slice(1)}.\n\n${helps.join('\n\n')}`;
    }),
  );
  return `<!-- Made by \`npm run docs\` from cli/. Changes here are overwritten. -->
# The command line

\`\`\`text
${topHelp.trim()}
\`\`\`

${sections.join('\n\n')}
`;
}

/** Everything that `--help` prints, at a fixed width and without colours. */
function helpOf(command: Command): string {
  let text = '';
  command
    .configureHelp({ helpWidth: 100 })
    .configureOutput({ writeOut: (part) => (text += part), getOutHasColors: () => false });
  command.outputHelp();
  return text.trim();
}
