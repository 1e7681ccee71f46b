/** `imapferry check` between two Dovecots with a little mail: the README's example is its output. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Place } from '../test/journey/program.ts';
import { startDovecot, withQuota } from '../test/support/dovecot.ts';
import { Mail, message } from '../test/support/mail.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const QUOTA = withQuota('storage=1G');
const FOLDERS: readonly (readonly [name: string, messages: number])[] = [
  ['INBOX', 12],
  ['Sent', 5],
  ['Projects.2026.Mail', 3],
  ['&g0l6Pw-', 1],
];

await using source = await startDovecot({
  separator: '.',
  capability: 'IMAP4rev1 IDLE ID NAMESPACE',
});
await using destination = await startDovecot({ extra: QUOTA });
{
  await using mail = await Mail.login(source.port, 'anna', source.users.anna ?? '');
  for (const [name, messages] of FOLDERS) {
    if (name !== 'INBOX') await mail.command(`CREATE "${name}"`);
    for (let i = 0; i < messages; i++) await mail.put(name, message({ id: `${name}-${i}` }));
  }
}
using place = new Place();
const settings = place.settings(source, destination, { FOLDERS: '*, Snet' });
const { stdout, stderr } = spawnSync(process.execPath, ['--', MAIN, 'check'], {
  cwd: place.home,
  env: { PATH: process.env.PATH, ...settings },
  encoding: 'utf8',
});
process.stderr.write(stderr);
process.stdout.write(stdout);
