import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { secretReader, splitWords } from '../../src/config/password.ts';
import { Failure } from '../../src/domain/failure.ts';
import { folderWith, load, mistakesOf } from './support.ts';

/** The settings whose source password comes from elsewhere. */
const fromFile = (path: string) => ({ SOURCE_PASSWORD: undefined, SOURCE_PASSWORD_FILE: path });
const fromCommand = (command: string) => ({
  SOURCE_PASSWORD: undefined,
  SOURCE_PASSWORD_COMMAND: command,
  PATH: '/usr/bin:/bin',
});

/** The Failure with which a secret is refused. */
async function failure(secret: Promise<string>): Promise<Failure> {
  const thrown = await secret.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(thrown instanceof Failure)) throw new Error('no Failure', { cause: thrown });
  return thrown;
}

describe('a password file', () => {
  test.each([
    ['se cret', 'se cret'],
    ['secret\n', 'secret'],
    ['secret\r\n', 'secret'],
    ['sécret#"\n', 'sécret#"'],
  ])('%j gives the password %j', async (content, secret) => {
    const { routes, doubts } = load(fromFile(folderWith({ p: content })('p')));
    expect(await routes[0]?.source.secret()).toBe(secret);
    expect(doubts).toEqual([]);
  });

  test('is read again at every login', async () => {
    const path = folderWith({ p: 'old' })('p');
    const source = load(fromFile(path)).routes[0]?.source;
    expect(await source?.secret()).toBe('old');
    writeFileSync(path, 'new');
    expect(await source?.secret()).toBe('new');
  });

  test('that goes away while running fails the login, and mail stays', async () => {
    const path = folderWith({ p: 'old' })('p');
    const source = load(fromFile(path)).routes[0]?.source;
    rmSync(path);
    const { message, step, scope, kind, lasting } = await failure(
      source?.secret() ?? Promise.resolve(''),
    );
    expect(message).toBe(
      `SOURCE_PASSWORD_FILE names a file that does not exist (the nearest directory that does is ${dirname(path)}). Without it imapferry can't log in; mail stays where it is, and it is tried again.`,
    );
    expect({ step, scope, kind, lasting }).toEqual({
      step: 'login',
      scope: 'account',
      kind: 'other',
      lasting: true,
    });
  });

  test.each([
    ['', 'which is empty'],
    ['\n', 'which is empty'],
  ])('%j is a mistake', (content, wrong) => {
    const path = folderWith({ p: content })('p');
    expect(mistakesOf(fromFile(path))).toEqual([`SOURCE_PASSWORD_FILE names ${path}, ${wrong}`]);
  });

  test('that is a directory is a mistake', () => {
    const path = dirname(folderWith({ p: '' })('p'));
    expect(mistakesOf(fromFile(path))).toEqual([
      `SOURCE_PASSWORD_FILE names ${path}, which is a directory, not a file`,
    ]);
  });

  test.each([
    ['"quoted"\n', 'still wears its quotation marks, which are taken as part of it'],
    ['two\nlines\n', 'holds more than one line'],
    ['blank \n', 'begins or ends with white space'],
    [Buffer.from('s\xe9cret\n', 'latin1'), 'is not written in UTF-8, as servers expect'],
  ] as [string | Buffer, string][])('%j is a doubt', (content, odd) => {
    const path = folderWith({ p: content })('p');
    expect(load(fromFile(path)).doubts).toEqual([
      `SOURCE_PASSWORD_FILE names ${path}, which ${odd}.`,
    ]);
  });

  test('that others may read is a doubt', () => {
    const path = folderWith({ p: 'secret' })('p');
    chmodSync(path, 0o640);
    expect(load(fromFile(path)).doubts).toEqual([
      `SOURCE_PASSWORD_FILE names ${path}, which other users may read. This mends it: chmod 400 ${path}.`,
    ]);
  });
});

describe('a password file that systemd hands over', () => {
  afterEach(() => vi.unstubAllEnvs());

  test.each([
    ['readable by an ACL, whose mask stands where the rights of a group do', 'p', 0o440, 0],
    ['readable by others', 'p', 0o444, 1],
    ['readable by a group, beside those of systemd', '../p', 0o440, 1],
  ])('%s', (_, name, mode, doubts) => {
    const pathOf = folderWith({ p: 'secret', 'credentials/p': 'secret' });
    vi.stubEnv('CREDENTIALS_DIRECTORY', pathOf('credentials'));
    const path = `${pathOf('credentials')}/${name}`;
    chmodSync(path, mode);
    expect(load(fromFile(path)).doubts).toHaveLength(doubts);
  });
});

/** What a process of that user id says to settings with this password file. Only root can become another user. */
function saidTo(uid: number, path: string): string {
  const config = new URL('../../src/config/config.ts', import.meta.url).href;
  const script = `
    const { loadConfig } = await import('${config}');
    process.setgid(${uid});
    process.setuid(${uid});
    try {
      loadConfig({ SOURCE_PASSWORD_FILE: process.argv[1] }, { envFiles: ['/dev/null'] });
    } catch ({ mistakes }) {
      const mistake = mistakes.find(({ variable }) => variable === 'SOURCE_PASSWORD_FILE');
      console.log(mistake?.wrong ?? 'nothing');
    }`;
  return execFileSync(process.execPath, ['--input-type=module', '--eval', script, path], {
    encoding: 'utf8',
  }).trim();
}

describe.runIf(process.getuid?.() === 0)('a password file that we may not read', () => {
  const end = ' This mends it (for a file mounted into a container, on the host): ';

  test('is told with our user id, its owner and the command that mends it', () => {
    const path = folderWith({ p: 'secret' })('p');
    chmodSync(path, 0o400);
    chmodSync(dirname(path), 0o755);
    expect(saidTo(1000, path)).toBe(
      `can't be read: imapferry runs as user id 1000, but the file ${path} belongs to user id 0 and has mode 0400.${end}chown 1000 ${path} && chmod 400 ${path}`,
    );
    chownSync(path, 1000, 1000);
    expect(saidTo(1000, path)).toBe('nothing');
    chmodSync(path, 0o200);
    expect(saidTo(1000, path)).toBe(
      `can't be read: imapferry runs as user id 1000, but the file ${path} belongs to user id 1000 and has mode 0200.${end}chmod 400 ${path}`,
    );
  });

  test('because of its directory is told with the directory', () => {
    const path = folderWith({ "it's mine/p": 'secret' })("it's mine/p");
    chmodSync(dirname(dirname(path)), 0o755);
    chmodSync(dirname(path), 0o700);
    const quoted = `'${dirname(path).replace("'", "'\\''")}'`;
    expect(saidTo(1000, path)).toBe(
      `can't be read: imapferry runs as user id 1000, but the directory ${dirname(path)} belongs to user id 0 and has mode 0700.${end}chown 1000 ${quoted} && chmod u+rx ${quoted}`,
    );
  });
});

describe('a password in a .env file', () => {
  const cut = (name: string) =>
    `${name} looks cut: in a .env file \`#\` begins a comment. If the password holds one, put the value in single quotation marks, or use ${name}_FILE.`;
  const open =
    'SOURCE_PASSWORD begins with a quotation mark that is left open, and taken as part of it.';
  const quoted = 'SOURCE_PASSWORD still wears its quotation marks, which are taken as part of it.';

  test.each([
    ["SOURCE_PASSWORD='pa#ss'", 'pa#ss', []],
    ['SOURCE_PASSWORD="pa#ss" # mine', 'pa#ss', []],
    ['SOURCE_PASSWORD=`it\'s "pa#ss"`', 'it\'s "pa#ss"', []],
    ['SOURCE_PASSWORD=pass\n# a comment', 'pass', []],
    ['SOURCE_PASSWORD=pa#ss', 'pa', [cut('SOURCE_PASSWORD')]],
    ['export SOURCE_PASSWORD = pa #ss\r', 'pa', [cut('SOURCE_PASSWORD')]],
    ['SOURCE_PASSWORD: "pa"#ss"', 'pa', [cut('SOURCE_PASSWORD')]],
    ['SOURCE_PASSWORD=\'"pass"\'', '"pass"', [quoted]],
    ['SOURCE_PASSWORD="open', '"open', [open]],
    ["SOURCE_PASSWORD='\"open'", '"open', []],
  ] as [string, string, string[]][])('%j', async (line, secret, doubts) => {
    const file = folderWith({ '.env': `${line}\nLOG_LEVEL=info # calm\n` })('.env');
    const config = load({ SOURCE_PASSWORD: undefined }, [file]);
    expect(await config.routes[0]?.source.secret()).toBe(secret);
    expect(config.doubts).toEqual(doubts);
  });

  test('that begins with # is nothing to dotenv, and told so', () => {
    const file = folderWith({ '.env': 'SOURCE_PASSWORD=#pass\n' })('.env');
    expect(mistakesOf({ SOURCE_PASSWORD: undefined }, [file])).toEqual([
      'SOURCE_PASSWORD is needed, or SOURCE_PASSWORD_FILE or SOURCE_PASSWORD_COMMAND: they deliver the password: in a .env file `#` begins a comment, put the value in single quotation marks',
    ]);
  });

  test('with its quotation marks in the environment is a doubt', () => {
    expect(load({ SOURCE_PASSWORD: "'pass'" }).doubts).toEqual([quoted]);
  });
});

describe('a password command', () => {
  test('is run anew at each login, without a shell, and its first line is the password', async () => {
    const path = folderWith({ 'a b': 'first line\nsecond\n' })('a b');
    const { routes, doubts } = load(fromCommand(`cat "${path}"`));
    expect(await routes[0]?.source.secret()).toBe('first line');
    writeFileSync(path, '$HOME;x\r\n');
    expect(await routes[0]?.source.secret()).toBe('$HOME;x');
    expect(doubts).toEqual([]);
  });

  test.each([
    ['pass show mail', ['pass', 'show', 'mail']],
    ["  a 'b c'  \"d 'e'\" ", ['a', 'b c', "d 'e'"]],
    ['a\\ b "c\\"d\\\\e\\f" \'\\\'', ['a b', 'c"d\\e\\f', '\\']],
    ["x=y'z'\"w\" '' ", ['x=yzw', '']],
    ['$HOME;ls|wc *', ['$HOME;ls|wc', '*']],
  ])('%s is split as a shell would', (command, words) => {
    expect(splitWords(command)).toEqual(words);
  });

  test.each([
    ["cat 'x", 'leaves a quotation mark open, or ends with a backslash'],
    ['cat x\\', 'leaves a quotation mark open, or ends with a backslash'],
    ['no-such-program-here x', 'begins with a program that was not found or may not be run'],
    ['/etc/passwd', 'begins with a program that was not found or may not be run'],
    ["''", 'begins with a program that was not found or may not be run'],
  ])('%s is a mistake', (command, wrong) => {
    expect(mistakesOf(fromCommand(command))).toEqual([`SOURCE_PASSWORD_COMMAND ${wrong}`]);
  });

  const command = (...words: string[]) =>
    secretReader({ from: 'command', variable: 'DEST_PASSWORD_COMMAND', words }, 500)();

  test.each([
    ['printed nothing on its first line', ['sh', '-c', 'echo; echo qzb81']],
    ['ended with exit code 3', ['sh', '-c', 'echo qzb81; echo qzb81 >&2; exit 3']],
    ['did not end within 0.5 s and was stopped', ['sh', '-c', 'echo qzb81; exec sleep 60']],
    ['was not found', ['no-such-program-qzb81']],
    ['may not be run by this user', ['/etc/passwd', 'qzb81']],
    ['failed (ERR_CHILD_PROCESS_STDIO_MAXBUFFER)', ['sh', '-c', 'yes qzb81']],
    ['failed (signal)', ['sh', '-c', 'echo qzb81; kill -9 $$']],
  ])('that %s is told without what it printed', async (what, words) => {
    const thrown = await failure(command(...words));
    expect(thrown.message).toBe(
      `The command of DEST_PASSWORD_COMMAND ${what}. Without it imapferry can't log in; mail stays where it is, and it is tried again.`,
    );
    expect(thrown).toMatchObject({ step: 'login', scope: 'account', lasting: false });
    expect(inspect(thrown, { depth: 9, showHidden: true }).replace(/\n +at .*/g, '')).not.toContain(
      'qzb81',
    );
  });

  test('that waits for input gets none', async () => {
    expect(
      await secretReader({
        from: 'command',
        variable: 'X',
        words: ['sh', '-c', 'cat; echo done'],
      })(),
    ).toBe('done');
  });
});
