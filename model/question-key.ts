/** The parts of a question's key, `<runId>/<stepPath>/<turn>`. */
export interface QuestionKey {
  stepPath: string;
  turn: number;
  /** The key without the run: `<stepPath>/<turn>`. */
  entryKey: string;
}

/** Parses a question's key. @throws RangeError if it isn't one */
export function parseQuestionKey(key: string): QuestionKey {
  const entryKey = key.slice(key.indexOf('/') + 1);
  const slash = entryKey.lastIndexOf('/');
  const turn = Number(entryKey.slice(slash + 1));
  if (slash < 1 || entryKey.length === key.length || !Number.isInteger(turn)) {
    throw new RangeError(`a question's key is <runId>/<stepPath>/<turn>, not ${key}`);
  }
  return { stepPath: entryKey.slice(0, slash), turn, entryKey };
}
