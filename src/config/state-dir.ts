/** STATE_DIR alone, for the commands that only read the journal: they work whatever is wrong with the other settings. */
import { processEnvironment } from './config.ts';
import { ConfigError } from './mistakes.ts';
import { readSettings } from './settings.ts';
import { VARIABLES } from './variables.ts';

/**
 * The directory of the journal, as it was written.
 * @param envFiles as for `readEnvironment`
 * @throws ConfigError where a file that was named can't be read
 */
export function stateDir(envFiles: readonly string[]): string {
  const { set, mistakes } = readSettings(processEnvironment(), envFiles);
  const unread = mistakes.filter(({ variable }) => variable.startsWith('--env-file '));
  if (unread.length > 0) throw new ConfigError(unread);
  return set.get('STATE_DIR')?.text.trim() || (VARIABLES.get('STATE_DIR')?.default ?? './state');
}
