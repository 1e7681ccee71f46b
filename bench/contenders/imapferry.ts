/** imapferry as it is installed: compiled, `sweep`, every byte read back. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startOf } from '../../test/journey/program.ts';
import type { Contender, Side } from './contender.ts';

/** The compiled program. */
export const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

const DOCKERFILE = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');

/** What image and unit give it besides its settings. */
export const ENVIRONMENT = {
  NODE_OPTIONS: inTheImage('NODE_OPTIONS'),
  MALLOC_ARENA_MAX: inTheImage('MALLOC_ARENA_MAX'),
};

function inTheImage(name: string): string {
  const [, quoted, bare] = new RegExp(`\\b${name}=(?:"([^"]*)"|(\\S+))`).exec(DOCKERFILE) ?? [];
  const value = quoted ?? bare;
  if (value === undefined) throw new Error(`The Dockerfile sets no ${name}`);
  return value;
}

/** Settings of one side, with its password in a file. */
export function sideSettings(
  name: 'SOURCE' | 'DEST',
  { door, user, password }: Side,
  home: string,
  route = '',
): Record<string, string> {
  const file = join(home, `${route}${name}_password`);
  writeFileSync(file, password, { mode: 0o600 });
  return {
    [`${name}_HOST`]: 'localhost',
    [`${name}_PORT`]: String(door.port),
    [`${name}_CA_FILE`]: door.caFile,
    [`${name}_USER`]: user,
    [`${name}_PASSWORD_FILE`]: file,
  };
}

export const imapferry: Contender = {
  name: 'imapferry',
  does: 'copies, reads back every byte, removes',
  command: ({ source, destination, concurrency, home }) => ({
    file: process.execPath,
    args: [...startOf(PROGRAM).slice(1), 'sweep'],
    cwd: home,
    env: {
      ...ENVIRONMENT,
      ...sideSettings('SOURCE', source, home),
      ...sideSettings('DEST', destination, home),
      FOLDERS: 'INBOX',
      CONCURRENCY: String(concurrency),
      STATE_DIR: join(home, 'state'),
      LOG_LEVEL: 'warn',
    },
  }),
};
