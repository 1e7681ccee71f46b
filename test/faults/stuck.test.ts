/** What is set aside is listed, and tried again when somebody says so, beside a running imapferry. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Program } from '../journey/program.ts';
import { message } from '../support/mail.ts';
import { ChildWorld } from './child-world.ts';
import { Servers } from './world.ts';

let servers: Servers;

beforeAll(async () => {
  servers = await Servers.start();
});

afterAll(() => servers?.[Symbol.asyncDispose]());

/** `imapferry stuck` with those words, as a process of its own. */
async function stuck(world: ChildWorld, ...words: string[]) {
  const settings = { STATE_DIR: world.stateDir };
  await using program = new Program(world.place, settings, ['stuck', ...words]);
  const { code } = await program.ended;
  return { code, lines: program.plain, stderr: program.stderr };
}

const HOURS = { refusedFirst: 3_600_000, refusedLongest: 3_600_000 };

it('a message that the server refuses waits for its time, or for `stuck --retry`', async () => {
  await using world = await ChildWorld.between(servers);
  let strict = true;
  world.destination.at = ({ when, command: { name } }) =>
    when === 'before' && name === 'APPEND' && strict
      ? {
          send: (whole) => (whole.includes('The culprit') ? 'TAG NO [CANNOT] no such mail' : whole),
        }
      : undefined;
  const culprit = message({ body: 'The culprit' });
  const uid = await world.oracle.put('INBOX', culprit, {
    internalDate: new Date('2009-02-13T23:31:30Z'),
  });
  await world.oracle.put('INBOX', message());
  expect(await stuck(world)).toMatchObject({ code: 0, lines: ['Nothing is stuck.'] });
  await world.start({ pace: HOURS });
  await world.left(1);
  await world.program.saw('delivery.refused');
  const { code, lines, stderr } = await stuck(world);
  expect([code, stderr, lines.length]).toEqual([1, '', 1]);
  expect(lines[0]).toContain(
    `default: INBOX, UID ${uid}, of 2009-02-13T23:31:30.000Z, ${culprit.length} bytes: refused since 20`,
  );
  expect(lines[0]).toContain('[CANNOT] no such mail');
  strict = false;
  const tried = await stuck(world, '--retry');
  expect(tried).toMatchObject({ code: 1, stderr: '' });
  expect(tried.lines.at(-1)).toBe('They are tried again now; the log tells what comes of it.');
  await world.left(0);
  expect(await stuck(world)).toMatchObject({ code: 0, lines: ['Nothing is stuck.'] });
  expect(await world.oracle.end()).toEqual([]);
  await world.stop();
});

it('without a running imapferry it is tried at the next start', async () => {
  await using world = await ChildWorld.between(servers);
  await world.oracle.put('INBOX', message({ size: 5000 }));
  await world.start({ pace: HOURS, settings: { MAX_MESSAGE_SIZE: '1KB' } });
  await world.program.saw('delivery.refused');
  await world.stop();
  await world.again({ settings: {} });
  expect(await world.old.count('INBOX')).toBe(1);
  await world.program.kill('SIGKILL');
  const tried = await stuck(world, '--retry');
  expect(tried.lines[0]).toContain('next try 20');
  await world.again();
  await world.left(0);
  await world.stop();
});

it('--retry belongs to `stuck` alone', async () => {
  await using world = await ChildWorld.between(servers);
  await using program = new Program(world.place, {}, ['sweep', '--retry']);
  expect((await program.ended).code).toBe(2);
  expect(program.stderr).toContain('--retry belongs to "stuck", not to "sweep".');
});
