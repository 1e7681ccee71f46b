/** mbsync of isync: pipelines on both sides, and leaves the originals. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contender, onPath, type Side } from './contender.ts';

export const mbsync: Contender = {
  name: 'mbsync',
  does: 'copies, reads nothing back, removes nothing',
  copies: true,
  absent: () => (onPath('mbsync') ? undefined : 'mbsync is not on PATH'),
  most: ({ appending, roundTrip }) =>
    appending === 'synchronising' && roundTrip > 10 ? 300 : Number.POSITIVE_INFINITY,
  command: ({ source, destination, home }) => {
    const config = join(home, 'mbsyncrc');
    const state = join(home, 'mbsync');
    mkdirSync(state);
    writeFileSync(
      config,
      `${store('source', source)}
${store('destination', destination)}
Channel drain
Far :source:
Near :destination:
Patterns INBOX
Sync PullNew
CopyArrivalDate yes
SyncState ${state}/
`,
      { mode: 0o600 },
    );
    return { file: 'mbsync', args: ['-c', config, '-q', 'drain'], cwd: home, env: { HOME: home } };
  },
};

function store(name: string, { door, user, password }: Side): string {
  return `IMAPStore ${name}
Host localhost
Port ${door.port}
User ${user}
Pass ${password}
SSLType IMAPS
SystemCertificates no
CertificateFile ${door.caFile}
Timeout 120
`;
}
