/** Whole lines: what is printed loads without a mistake, what is told names everything, and no password is in either. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { parse } from 'dotenv';
import { describe, expect, test } from 'vitest';
import { fromImapsync } from '../../src/commands/from-imapsync.ts';
import { loadConfig } from '../../src/config/config.ts';
import { parseFolders } from '../../src/config/folders.ts';
import { VARIABLES } from '../../src/config/variables.ts';
import { envLine } from '../../src/from-imapsync/print.ts';
import { readShell } from '../../src/from-imapsync/shell.ts';
import { resolve } from '../../src/from-imapsync/words.ts';
import { folderWith } from '../config/support.ts';

function printed(words: readonly string[]) {
  const env: string[] = [];
  const notes: string[] = [];
  const code = fromImapsync(words, {
    print: (line) => env.push(line),
    tell: (line) => notes.push(line),
  });
  return { code, env: env.join('\n'), notes: notes.join('\n'), lines: notes };
}

/** The line as a shell would hand it over. */
function typed(line: string): string[] {
  const { commands, variables } = readShell(line);
  return commands
    .flat()
    .flatMap((word) => resolve(word, variables))
    .map(({ text }) => text);
}

/** Whether this version reads a setting already. */
function reads(env: string): boolean {
  const settings = parse(env);
  try {
    parseFolders(settings.FOLDERS ?? '*');
    return true;
  } catch {
    return false;
  }
}

const LINES: readonly (readonly [name: string, line: string, env: string])[] = [
  [
    'the example of the manual',
    `imapsync --host1 test1.lamiral.info --user1 test1 --password1 secret1 \\
       --host2 test2.lamiral.info --user2 test2 --password2 secret2`,
    `SOURCE_HOST=test1.lamiral.info
SOURCE_USER=test1
SOURCE_PASSWORD_FILE=./secrets/source_password
DEST_HOST=test2.lamiral.info
DEST_USER=test2
DEST_PASSWORD_FILE=./secrets/dest_password
AFTER_DELIVERY=keep`,
  ],
  [
    'a mover on a timer',
    `imapsync --host1 imap.old.example --user1 me@old.example --passfile1 ./secrets/old
       --host2 imap.new.example --user2 me@new.example --passfile2 ./secrets/new
       --automap --delete1 --expunge1 --nofoldersizes --nofoldersizesatend --noreleasecheck --nolog`.replaceAll(
      '\n',
      ' ',
    ),
    `SOURCE_HOST=imap.old.example
SOURCE_USER=me@old.example
SOURCE_PASSWORD_FILE=./secrets/old
DEST_HOST=imap.new.example
DEST_USER=me@new.example
DEST_PASSWORD_FILE=./secrets/new
AFTER_DELIVERY=expunge`,
  ],
  [
    'a container with another port',
    `docker run --rm gilleslamiral/imapsync imapsync --nosyncacls --subscribe --syncinternaldates
       --nofoldersizes --skipsize --noauthmd5 --host1 old.example --user1 a@x --password1 secret1
       --host2 new.example --user2 a@x --password2 secret2 --ssl2 --port2 7993 --automap`.replaceAll(
      '\n',
      ' ',
    ),
    `SOURCE_HOST=old.example
SOURCE_USER=a@x
SOURCE_PASSWORD_FILE=./secrets/source_password
DEST_HOST=new.example
DEST_PORT=7993
DEST_USER=a@x
DEST_PASSWORD_FILE=./secrets/dest_password
AFTER_DELIVERY=keep`,
  ],
  [
    'folders that are left out, and a dangerous option',
    `imapsync --host1 imap.gmail.com --user1 vm@x.example --passfile1 p1 --host2 mail.x.example
       --user2 vm@x.example --passfile2 p2 --exclude "All Mail|Spam|Trash|Important|Starred"
       --allowsizemismatch --delete2`.replaceAll('\n', ' '),
    `SOURCE_HOST=imap.gmail.com
SOURCE_USER=vm@x.example
SOURCE_PASSWORD_FILE=p1
DEST_HOST=mail.x.example
DEST_USER=vm@x.example
DEST_PASSWORD_FILE=p2
FOLDERS=*, !*All Mail*, !*Spam*, !*Trash*, !*Important*, !*Starred*
AFTER_DELIVERY=keep`,
  ],
  [
    'to Gmail, tried first',
    `imapsync --gmail2 --host1 mail.old.example --user1 'o#1' --password1 'secret1' --user2 'n w'
       --password2 "secret2" --delete1 --noexpunge1 --folder INBOX --folder "Sent, old" --dry`.replaceAll(
      '\n',
      ' ',
    ),
    `SOURCE_HOST=mail.old.example
SOURCE_USER='o#1'
SOURCE_PASSWORD_FILE=./secrets/source_password
DEST_HOST=imap.gmail.com
DEST_USER=n w
DEST_PASSWORD_FILE=./secrets/dest_password
FOLDERS='INBOX, "Sent, old"'
MAX_MESSAGE_SIZE=35651583B
AFTER_DELIVERY=mark
DRY_RUN=true`,
  ],
];

describe('a whole line', () => {
  test.each(LINES)('%s becomes a .env', (_, line, env) => {
    const result = printed(typed(line));
    expect(result.env).toBe(env);
    expect(result.code).toBe(0);
    expect(`${result.env}${result.notes}`).not.toMatch(/secret[12]/);
    expect(result.lines.filter((each) => each.length > 80 && each.trim().includes(' ', 4))).toEqual(
      [],
    );
  });

  test.each(LINES.filter(([, , env]) => reads(env)))(
    '%s: the .env loads without a mistake',
    (_, line) => {
      const pathOf = folderWith({ '.env': printed(typed(line)).env, one: 'one', two: 'two' });
      const config = loadConfig(
        { SOURCE_PASSWORD_FILE: pathOf('one'), DEST_PASSWORD_FILE: pathOf('two') },
        { envFiles: [pathOf('.env')] },
      );
      expect(config.routes).toHaveLength(1);
      const isDry = config.routes.some(({ dryRun }) => dryRun);
      expect(config.doubts).toEqual(isDry ? [expect.stringMatching(/^DRY_RUN is true/)] : []);
    },
  );

  test.each(LINES.filter(([, , env]) => !reads(env)))(
    '%s: the .env holds only what this version does not read yet, besides names',
    (_, line) => {
      const names = Object.keys(parse(printed(typed(line)).env));
      expect(names.filter((name) => !VARIABLES.has(name))).toEqual([]);
    },
  );
});

describe('a file', () => {
  const unit = `[Service]
EnvironmentFile=/etc/mail.env
ExecStart=/usr/bin/imapsync --host1 \${OLD} --user1 me --passfile1 /etc/old --host2 new.example \\
  --user2 me --password2 secret2 --automap --delete1`;

  test('what only its reader can know is left empty, named, and ends with 2', () => {
    const { code, env, notes } = printed([folderWith({ unit })('unit')]);
    expect(code).toBe(2);
    expect(env).toContain('SOURCE_HOST=\n');
    expect(notes).toContain('SOURCE_HOST: the line takes --host1 from $OLD');
    expect(notes).not.toContain('secret2');
  });

  test('two lines become two routes', () => {
    const line = (name: string) =>
      `imapsync --host1 h --user1 ${name} --passfile1 /${name} --host2 n --user2 ${name} --passfile2 /n --delete1`;
    const pathOf = folderWith({ both: `${line('mum')}\n${line('dad')}\n` });
    const { code, env } = printed([pathOf('both')]);
    expect(code).toBe(0);
    expect(parse(env)).toMatchObject({
      ROUTES: 'box1,box2',
      BOX1_SOURCE_USER: 'mum',
      BOX2_SOURCE_USER: 'dad',
      BOX2_AFTER_DELIVERY: 'expunge',
    });
  });

  test('a line that only tries the source stands back behind the one that carries', () => {
    const pathOf = folderWith({
      script: `imapsync --host1 a --user1 u --justlogin
imapsync --host1 a --user1 u --passfile1 /p --host2 b --user2 v --passfile2 /q`,
    });
    expect(parse(printed([pathOf('script')]).env)).toMatchObject({ DEST_HOST: 'b' });
  });

  test('a file that starts no imapsync is said, and ends with 2', () => {
    const path = folderWith({ script: 'ls -l\n' })('script');
    expect(printed([path])).toMatchObject({
      code: 2,
      env: '',
      notes: `imapferry: in ${path} nothing starts imapsync.`,
    });
  });
});

test.each([[[]], [['gone.service']], [['mbsync', '-a']]])('%j ends with 2', (words) => {
  const { code, env, notes } = printed(words);
  expect({ code, env }).toEqual({ code: 2, env: '' });
  expect(notes).toContain('imapferry from-imapsync -- imapsync --host1 …');
});

test('a line within quotation marks is read, too', () => {
  const line = 'imapsync --host1 a --user1 u --passfile1 /p --host2 b --user2 "v w" --passfile2 /q';
  expect(parse(printed([line]).env)).toMatchObject({ SOURCE_HOST: 'a', DEST_USER: 'v w' });
});

test('a password is shown in no case, whatever is wrong around it', () => {
  for (const password of [
    '--password1 hush',
    '--password1=hush',
    '--pass hush',
    '--passwrd1=hush',
    '–-password1=hush',
    '--password1 my hush',
    '--oauthaccesstoken1 hush',
    '--oauthdirect1 hush',
    '--passfile1 <(echo hush)',
    `--password1 \${P:-hush}`,
    '--port1 hush',
  ]) {
    const script = `P=hush; imapsync --host1 a --user1 u ${password} --host2 b --user2 v`;
    const { env, notes } = printed([script]);
    expect(`${env}${notes}`).not.toContain('hush');
  }
});

test.each(['plain', 'a b', 'o#1', "it's", 'a"b', 'a\'b"c', 'back\\slash', '$x', '"a", b', ''])(
  'dotenv reads %j back as it was',
  (value) => {
    expect(parse(envLine('NAME', value)).NAME).toBe(value);
  },
);

test('the README shows what the program prints', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, line = '', env] =
    /from-imapsync -- (imapsync .*?) > \.env\n```\nwrites\n```\n(.*?)\n```/s.exec(readme) ?? [];
  expect(printed(typed(line)).env).toBe(env);
});

describe('the program', () => {
  const main = new URL('../../src/main.ts', import.meta.url).pathname;
  const run = promisify(execFile);

  test('prints the .env on standard output and the notes beside it', async () => {
    const { stdout, stderr } = await run(process.execPath, [
      '--',
      main,
      'from-imapsync',
      '--',
      ...'imapsync --host1 a --user1 u --passfile1 /p --host2 b --user2 v --passfile2 /q'.split(
        ' ',
      ),
    ]);
    expect(parse(stdout)).toMatchObject({ SOURCE_HOST: 'a', AFTER_DELIVERY: 'keep' });
    expect(stderr).toContain('Different from imapsync:');
  });

  test('takes the line without `--` as well, and ends with 2 where something is missing', async () => {
    const words = 'imapsync --host1 a --version'.split(' ');
    await expect(
      run(process.execPath, ['--', main, 'from-imapsync', ...words]),
    ).rejects.toMatchObject({ code: 2, stdout: expect.stringContaining('SOURCE_HOST=a') });
  });
});
