/**
 * STATE_DIR alone, for the commands that only read the journal: they work whatever is wrong with the other settings, and
 * a container starts `health` every half minute, so that nothing else is loaded here.
 */
import { parse } from 'dotenv';
import { readTextFile, settingFiles } from './file.ts';
import { ConfigError } from './mistakes.ts';

/** What holds where STATE_DIR is not set. */
export const STATE_DIR = './state';

/**
 * The directory of the journal, as it was written: in the environment, else in the first file that has it.
 * @param envFiles as for `readEnvironment`; not read where the environment says it
 * @throws ConfigError where a file that was named can't be read
 */
export function stateDir(envFiles: readonly string[]): string {
  // biome-ignore lint/style/noProcessEnv: config.ts, the door for settings, loads far more than this one needs
  return (process.env.STATE_DIR ?? inFiles(envFiles) ?? '').trim() || STATE_DIR;
}

function inFiles(envFiles: readonly string[]): string | undefined {
  for (const path of settingFiles(envFiles)) {
    const file = readTextFile(path);
    if ('text' in file) {
      const found = parse(file.text).STATE_DIR;
      if (found !== undefined) return found;
    } else if (envFiles.length > 0) throw new ConfigError([unreadable(path, file.wrong)]);
  }
  return undefined;
}

function unreadable(path: string, wrong: string) {
  return {
    variable: `--env-file ${path}`,
    wrong,
    example: '--env-file /etc/imapferry/imapferry.env',
  };
}
