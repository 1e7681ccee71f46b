/** imapfilter: moves messages from account to account, one after the other. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contender, onPath, type Side } from './contender.ts';

export const imapfilter: Contender = {
  name: 'imapfilter',
  does: 'copies, checks nothing, removes',
  absent: () => (onPath('imapfilter') ? undefined : 'imapfilter is not on PATH'),
  most: ({ roundTrip }) => (roundTrip > 10 ? 60 : 500),
  command: ({ source, destination, home }) => {
    const config = join(home, 'imapfilter.lua');
    writeFileSync(
      config,
      `options.certificates = false
options.info = false
source = ${account(source)}
destination = ${account(destination)}
source.INBOX:select_all():move_messages(destination.INBOX)
`,
      { mode: 0o600 },
    );
    return {
      file: 'imapfilter',
      args: ['-c', config, '-t', source.door.caFile],
      cwd: home,
      env: { HOME: home, IMAPFILTER_HOME: home },
    };
  },
};

function account({ door, user, password }: Side): string {
  return `IMAP { server = 'localhost', port = ${door.port}, username = '${user}', password = '${password}', ssl = 'auto' }`;
}
