/** No password and no token leaves the program but to the server it is meant for, on a wire that can be trusted. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Place, Program } from '../journey/program.ts';
import { authority } from '../support/certificates.ts';
import { FakeImap, type FakeOptions } from '../support/fake-imap.ts';
import { message } from '../support/mail.ts';
import { record } from '../support/results.ts';
import { ChildWorld } from './child-world.ts';
import { Servers } from './world.ts';

let servers: Servers;
const folder = mkdtempSync(join(tmpdir(), 'imapferry-secrets-'));
let good: { readonly cert: string; readonly key: string; readonly caFile: string };
let expired: { readonly cert: string; readonly key: string };
let other: { readonly cert: string; readonly key: string };

beforeAll(async () => {
  const issued = (name: string) => {
    mkdirSync(join(folder, name));
    const { certFile, keyFile, caFile } = authority(join(folder, name));
    return { caFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  };
  good = issued('good');
  other = issued('other');
  expired = { key: good.key, cert: expiredFor('good') };
  servers = await Servers.start();
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await servers?.[Symbol.asyncDispose]();
});

/** Another certificate by the same authority for the same key and names, whose time was over yesterday. */
function expiredFor(name: string): string {
  const line =
    'x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days -1 -extfile names -out expired.pem';
  const cwd = join(folder, name);
  execFileSync('openssl', line.split(' '), { cwd, stdio: 'pipe' });
  return readFileSync(join(cwd, 'expired.pem'), 'utf8');
}

/** What a secret may look like: as it is, quoted as IMAP and JSON do, in a URL, and as SASL sends it. */
function forms(user: string, secret: string): string[] {
  const base64 = (text: string) => Buffer.from(text).toString('base64').replace(/=+$/, '');
  const quoted = secret.replace(/["\\]/g, '\\$&');
  const sasl = [
    `\0${user}\0${secret}`,
    `${user}\0${user}\0${secret}`,
    `user=${user}\x01auth=Bearer ${secret}\x01\x01`,
    `n,a=${user},\x01host=127.0.0.1\x01port=143\x01auth=Bearer ${secret}\x01\x01`,
  ];
  const plain = [secret, quoted, encodeURIComponent(secret)];
  const coded = [secret, ...sasl].map(base64);
  return [...new Set([...plain, ...coded])];
}

/** Fails where a text holds a secret in any form, also as a JSON string holds it. */
function expectNone(where: string, text: string, user: string, secret: string): void {
  for (const form of forms(user, secret)) {
    for (const shown of [form, JSON.stringify(form).slice(1, -1)]) {
      if (text.includes(shown)) {
        const at = text.indexOf(shown);
        throw new Error(`${where} holds ${shown}: ${text.slice(Math.max(0, at - 300), at + 100)}`);
      }
    }
  }
}

function said(program: Program): string {
  return [
    ...program.log.map((line) => JSON.stringify(line)),
    ...program.plain,
    program.stderr,
  ].join('\n');
}

/** All that the program leaves to be seen: its words, its command line, and the files of STATE_DIR, byte by byte. */
function expectNoneAnywhere(program: Program, place: Place, user: string, secret: string): void {
  expectNone('the log', said(program), user, secret);
  for (const name of readdirSync(place.stateDir)) {
    const bytes = readFileSync(join(place.stateDir, name), 'latin1');
    expectNone(name, bytes, user, Buffer.from(secret).toString('latin1'));
  }
}

const SECRET = 'pa"ss\\wörd 7%+/=';

/** How each of the three variables delivers a secret. */
const DELIVERIES = {
  PASSWORD: (_place: Place, secret: string) => secret,
  PASSWORD_FILE: (place: Place, secret: string) => place.file('secret', `${secret}\n`),
  PASSWORD_COMMAND: (place: Place, secret: string) =>
    `cat ${place.file('printed', `${secret}\nmore\n`)}`,
} as const;

describe('a server that repeats what it was told', () => {
  const rows = (['password', 'oauth2'] as const).flatMap((auth) =>
    (Object.keys(DELIVERIES) as (keyof typeof DELIVERIES)[]).flatMap((variable) =>
      (['json', 'pretty'] as const).map((format) => ({ auth, variable, format })),
    ),
  );

  it.each(rows)(
    'makes the program tell no secret: $auth by $variable, $format log at level trace',
    async ({ auth, variable, format }) => {
      using place = new Place();
      let nth = 0;
      const everything = () => forms('anna', SECRET).filter((form) => !/[\r\n]/.test(form));
      const refuse = ({ tag }: { tag: string }) => {
        const form = everything()[nth++ % everything().length] ?? '';
        const echo = Buffer.from(form).toString('latin1');
        return `* OK [ALERT] You said ${echo}\r\n${tag} NO [AUTHENTICATIONFAILED] Not ${echo}`;
      };
      const replies = { LOGIN: refuse, AUTHENTICATE: refuse };
      await using server = await FakeImap.start({
        capability: auth === 'oauth2' ? 'IMAP4rev1 SASL-IR AUTH=XOAUTH2' : 'IMAP4rev1',
        replies,
      });
      const account = (side: string) => ({
        [`${side}_HOST`]: '127.0.0.1',
        [`${side}_PORT`]: String(server.port),
        [`${side}_TLS`]: 'none',
        [`${side}_AUTH`]: auth,
        [`${side}_${variable}`]: DELIVERIES[variable](place, SECRET),
      });
      await using program = new Program(place, {
        ...account('SOURCE'),
        ...account('DEST'),
        SOURCE_USER: 'anna',
        DEST_USER: 'bert',
        STATE_DIR: place.stateDir,
        LOG_LEVEL: 'trace',
        LOG_FORMAT: format,
      });
      await program.until(
        'it was refused often',
        () => nth >= 5 && said(program).includes('every 15 minutes'),
      );
      const words = readFileSync(`/proc/${program.pid}/cmdline`, 'latin1');
      expectNone('/proc/…/cmdline', words, 'anna', Buffer.from(SECRET).toString('latin1'));
      // The secret did travel, or nothing would be shown by this.
      expect(
        forms('anna', SECRET).some((form) =>
          server.text.includes(Buffer.from(form).toString('latin1')),
        ),
      ).toBe(true);
      expectNoneAnywhere(program, place, 'anna', SECRET);
      expectNoneAnywhere(program, place, 'bert', SECRET);
      expect((await program.kill('SIGTERM')).code).toBe(0);
      record({
        part: 'secrets',
        point: `${auth} by ${variable}, ${format}: a server that repeats it in a refusal`,
        outcome: 'in no log line, command line or file',
      });
    },
  );

  const commands = [
    ['source', 'LIST'],
    ['source', 'SELECT'],
    ['source', 'UID SEARCH'],
    ['source', 'UID FETCH'],
    ['source', 'UID STORE'],
    ['source', 'UID EXPUNGE'],
    ['source', 'IDLE'],
    ['destination', 'LIST'],
    ['destination', 'SELECT'],
    ['destination', 'APPEND'],
    ['destination', 'UID FETCH'],
  ] as const;
  const answers = [
    ['NO', (echo: string) => `TAG NO ${echo}`],
    ['BYE', (echo: string) => `* BYE ${echo}`],
  ] as const;
  const later = commands.flatMap(([side, name]) =>
    answers.map(([word, answer]) => ({ side, name, word, answer })),
  );

  it.concurrent.each(later)(
    'later, by $word in place of $name at the $side, makes it tell and note no secret',
    async ({ side, name, word, answer }) => {
      await using world = await ChildWorld.between(servers);
      const secret = `secret-of-${world.user}`;
      let done = 0;
      world[side].at = ({ when, command }) => {
        const echo = forms(world.user, secret)[done];
        if (when !== 'before' || command.name !== name || echo === undefined) return undefined;
        done++;
        return { say: answer(`You said ${echo}`) };
      };
      await world.start({ settings: { SWEEP_INTERVAL: '1s' }, ready: false });
      await world.oracle.put('INBOX', message());
      await world.program.until(
        'it was carried',
        async () => (await world.old.count('INBOX')) === 0,
      );
      await world.stop();
      expectNoneAnywhere(world.program, world.place, world.user, secret);
      expect(await world.oracle.end()).toEqual([]);
      expect(done).toBeGreaterThan(0);
      record({
        part: 'secrets',
        point: `repeated by ${word} in place of ${name} at the ${side}`,
        outcome: 'in no log line and no file',
      });
    },
  );
});

describe('nothing secret is sent, and the sentence helps, where', () => {
  interface Wire {
    readonly where: string;
    readonly server: () => FakeOptions;
    readonly tls: 'implicit' | 'starttls';
    readonly says: readonly string[];
  }
  const old = (maxVersion: 'TLSv1' | 'TLSv1.1') => ({
    minVersion: 'TLSv1' as const,
    maxVersion,
    ciphers: 'ALL:@SECLEVEL=0',
  });
  const offers = { capability: 'IMAP4rev1 STARTTLS AUTH=PLAIN' };
  const outdated = ['only TLS older than 1.2', 'not safe', 'No password was sent'];
  const noStartTls = ['does not offer STARTTLS', 'DEST_TLS=implicit', 'No password was sent'];

  const wires: readonly Wire[] = [
    {
      where: 'STARTTLS is asked for and not offered',
      server: () => ({ capability: 'IMAP4rev1 AUTH=PLAIN' }),
      tls: 'starttls',
      says: noStartTls,
    },
    {
      where: 'STARTTLS is offered and refused',
      server: () => ({ ...offers, replies: { STARTTLS: ({ tag }) => `${tag} NO not now` } }),
      tls: 'starttls',
      says: noStartTls,
    },
    {
      where: 'the certificate has expired',
      server: () => ({ tls: expired, implicit: true }),
      tls: 'implicit',
      says: ['its certificate has expired', 'check the clock', 'No password was sent'],
    },
    {
      where: 'the certificate after STARTTLS has expired',
      server: () => ({ ...offers, tls: expired }),
      tls: 'starttls',
      says: ['its certificate has expired', 'No password was sent'],
    },
    {
      where: 'the authority is another one after STARTTLS',
      server: () => ({ ...offers, tls: other }),
      tls: 'starttls',
      says: ['authority that is not trusted', 'DEST_CA_FILE', 'No password was sent'],
    },
    ...(['TLSv1', 'TLSv1.1'] as const).flatMap((version) => [
      {
        where: `the server knows nothing newer than ${version}`,
        server: () => ({ tls: { ...good, ...old(version) }, implicit: true }),
        tls: 'implicit' as const,
        says: outdated,
      },
      {
        where: `the server knows nothing newer than ${version} after STARTTLS`,
        server: () => ({ ...offers, tls: { ...good, ...old(version) } }),
        tls: 'starttls' as const,
        says: outdated,
      },
    ]),
  ];

  it.concurrent.each(wires)('$where', async ({ where, server: options, tls, says }) => {
    using place = new Place();
    await using old = await FakeImap.start();
    await using server = await FakeImap.start(options());
    await using program = new Program(place, {
      SOURCE_HOST: '127.0.0.1',
      SOURCE_PORT: String(old.port),
      SOURCE_TLS: 'none',
      SOURCE_USER: 'anna',
      SOURCE_PASSWORD: 'old-secret',
      DEST_HOST: 'localhost',
      DEST_PORT: String(server.port),
      DEST_TLS: tls,
      DEST_CA_FILE: good.caFile,
      DEST_USER: 'bert',
      DEST_PASSWORD: SECRET,
      STATE_DIR: place.stateDir,
      LOG_LEVEL: 'trace',
    });
    await program.saw('account.reconnecting', 2);
    const told = program.log.find(({ event }) => event === 'account.reconnecting');
    for (const words of says) expect(`${told?.why}`).toContain(words);
    expect(server.text).not.toMatch(/LOGIN|AUTHENTICATE|bert/i);
    expectNone('the wire', server.text, 'bert', Buffer.from(SECRET).toString('latin1'));
    expectNoneAnywhere(program, place, 'bert', SECRET);
    expect((await program.kill('SIGTERM')).code).toBe(0);
    record({ part: 'secrets', point: where, outcome: 'no login, told what helps' });
  });

  it('another certificate is shown when the connection is begun anew; and logs in again when it is the right one', async () => {
    using place = new Place();
    const tls = { cert: good.cert, key: good.key };
    await using server = await FakeImap.start({ tls, implicit: true });
    const account = (side: string) => ({
      [`${side}_HOST`]: 'localhost',
      [`${side}_PORT`]: String(server.port),
      [`${side}_CA_FILE`]: good.caFile,
      [`${side}_PASSWORD`]: SECRET,
    });
    await using program = new Program(place, {
      ...account('SOURCE'),
      ...account('DEST'),
      SOURCE_USER: 'anna',
      DEST_USER: 'bert',
      STATE_DIR: place.stateDir,
      LOG_LEVEL: 'trace',
    });
    await program.saw('route.ready');
    const logins = () =>
      server.commands.filter((line) => / (LOGIN|AUTHENTICATE) /.test(line)).length;
    Object.assign(tls, { cert: other.cert, key: other.key });
    for (const { socket } of server.lines) socket.destroy();
    const before = logins();
    await program.saw('account.reconnecting', 2);
    expect(logins()).toBe(before);
    Object.assign(tls, { cert: good.cert, key: good.key });
    await program.saw('account.connected', 3);
    expect(logins()).toBeGreaterThan(before);
    record({
      part: 'secrets',
      point: 'another certificate at a reconnect',
      outcome: 'no login, told what helps, goes on when it is right',
    });
  });
});
