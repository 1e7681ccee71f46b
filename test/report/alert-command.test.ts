import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { runAlertCommand } from '../../src/report/alert-command.ts';

const { PATH } = process.env;
const sh = (script: string) => ({ words: ['sh', '-c', script], environment: { PATH } });
const run = (script: string, text = '', limit = 10_000) =>
  runAlertCommand(sh(script), text, { IMAPFERRY_CAUSE: 'mail-waits' }, limit);

/** Whether a process runs; one that has ended may be listed still, until somebody asks how it ended. */
function isThere(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', `${pid}`], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.startsWith('Z');
}

describe('ALERT_COMMAND', () => {
  it('gets the text on its standard input and the cause in its environment', async () => {
    const { wrong, printed } = await run('cat; echo "$IMAPFERRY_CAUSE"; echo "[$HOME]" >&2', 'ü\n');
    expect(wrong).toBeUndefined();
    expect(printed.split('\n').sort()).toEqual(['', '[]', 'mail-waits', 'ü']);
  });

  it('is started without a shell', async () => {
    const command = { words: ['echo', '$HOME; `id` *'], environment: { PATH } };
    expect(await runAlertCommand(command, '', {})).toEqual({ printed: '$HOME; `id` *\n' });
  });

  it('need not read its input', async () => {
    expect(await run('exec 0<&-; exit 0', 'x'.repeat(1_000_000))).toEqual({ printed: '' });
  });

  it('that prints without end is not kept whole', async () => {
    const { printed } = await run('yes | head -c 5000000');
    expect(printed).toHaveLength(2000);
  });

  it.each<[string, string]>([
    ['exit 3', 'ended with exit code 3'],
    ['kill -9 $$', 'was ended by SIGKILL'],
  ])('that does %s is told', async (script, wrong) => {
    expect(await run(script)).toMatchObject({ wrong });
  });

  it.each<[string, string]>([
    ['/nowhere/at-all', 'was not found'],
    ['/etc/passwd', 'may not be run by this user'],
  ])('%s %s', async (program, wrong) => {
    const command = { words: [program], environment: { PATH } };
    expect(await runAlertCommand(command, 'text', {})).toMatchObject({ wrong });
  });

  it('is killed when it takes too long, with all that it has started', async () => {
    const began = Date.now();
    const { wrong, printed } = await run('sleep 60 & echo $!; wait', '', 300);
    expect(wrong).toBe('did not end within 0.3 s and was stopped');
    expect(Date.now() - began).toBeLessThan(5000);
    const started = Number(printed.trim());
    expect(started).toBeGreaterThan(1);
    for (let i = 0; i < 100 && isThere(started); i++) await new Promise((go) => setTimeout(go, 20));
    expect(isThere(started)).toBe(false);
  });

  it('is not waited for where it leaves something behind that holds its output', async () => {
    const { wrong, printed } = await run('sleep 5 & echo done');
    expect([wrong, printed]).toEqual([undefined, 'done\n']);
  });
});
