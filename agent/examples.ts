/**
 * The words in the examples that a model reads. A small model copies an example as it is, so the words are sentences:
 * no path, no command and no code. A call that holds them is refused, so they never reach a repository. Pure; runs in
 * workflow code.
 */
export const exampleWords = {
  file: 'the path of the file',
  folder: 'the path of the folder',
  old: 'the text as it stands in the file',
  new: 'the text that takes its place',
  lineBefore: 'the line that stays as it is',
  added: 'the line that is added after it',
  whole: 'the whole text that the file gets',
  wanted: 'the text to look for',
  command: 'the command that you want to run',
  summary: 'one sentence on what you did',
} as const;

const words = new Set<string>(Object.values(exampleWords));

/** The example's words that a text holds as one of its lines; undefined if there are none. */
export function findExampleWords(text: string): string | undefined {
  return text
    .split('\n')
    .map((line) => line.trim())
    .find((line) => words.has(line));
}

/** What the model is told if it copied an example. */
export function copiedExampleFeedback(copied: string): string {
  return `${JSON.stringify(copied)} comes from the example. Write what it stands for: the real path, text or command.`;
}
