/** imapsync, where somebody has installed it: Debian has no package of it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contender, onPath, type Side } from './contender.ts';

export const imapsync: Contender = {
  name: 'imapsync',
  does: 'copies, compares headers, removes',
  absent: () => (onPath('imapsync') ? undefined : 'imapsync is not on PATH'),
  most: ({ roundTrip }) => (roundTrip > 10 ? 60 : 500),
  command: ({ source, destination, home }) => ({
    file: 'imapsync',
    args: [
      ...side(1, source, home),
      ...side(2, destination, home),
      ...['--folder', 'INBOX', '--delete1', '--expunge1'],
      ...['--nolog', '--noreleasecheck', '--nofoldersizes', '--nofoldersizesatend'],
      ...['--tmpdir', home, '--pidfile', join(home, 'pid')],
    ],
    cwd: home,
  }),
};

function side(n: 1 | 2, { door, user, password }: Side, home: string): string[] {
  const file = join(home, `passfile${n}`);
  writeFileSync(file, password, { mode: 0o600 });
  const options = { host: 'localhost', port: String(door.port), user, passfile: file };
  return [
    ...Object.entries(options).flatMap(([name, value]) => [`--${name}${n}`, value]),
    `--ssl${n}`,
    `--sslargs${n}`,
    `SSL_ca_file=${door.caFile}`,
  ];
}
