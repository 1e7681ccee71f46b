/** Lines of imapsync for the tables. */
import { readShell } from '../../src/from-imapsync/shell.ts';
import type { Told } from '../../src/from-imapsync/told.ts';
import { translate } from '../../src/from-imapsync/translate.ts';
import { resolve } from '../../src/from-imapsync/words.ts';

/** Two accounts about which nothing is left open. */
export const BASE =
  '--host1 a.example --user1 old --passfile1 /p1 --ssl1 --host2 b.example --user2 new --passfile2 /p2 --ssl2';

/** The translation of arguments as a shell splits them. */
export function told(args: string): Told {
  const { commands, variables } = readShell(args);
  return translate(commands.flat().flatMap((word) => resolve(word, variables)));
}

/** The settings that these arguments change in those of BASE. */
export function changed(args: string): Record<string, string> {
  const base = told(BASE).settings;
  const now = told(`${BASE} ${args}`).settings;
  return Object.fromEntries([...now].filter(([name, value]) => base.get(name) !== value));
}

/** All that is said about a translation. */
export function said({ gaps, ...lists }: Told): string[] {
  return [
    ...gaps.map(({ of, why }) => `${of}: ${why}`),
    ...Object.values(lists).flatMap((list) => (Array.isArray(list) ? (list as string[]) : [])),
  ];
}
