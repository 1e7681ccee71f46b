import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Failure, FailureFields } from '../../src/domain/failure.ts';
import type { Account } from '../../src/domain/route.ts';
import { Client } from '../../src/imap/client.ts';
import { authority } from '../support/certificates.ts';
import { FakeImap, type FakeOptions } from '../support/fake-imap.ts';

const USER = 'anna';
const SECRET = 'a secret of hers';

type Shown = { readonly cert: string; readonly key: string };

const folder = mkdtempSync(join(tmpdir(), 'imapferry-trust-'));
let ca: string;
let otherCa: string;
let namedCa: string;
let good: Shown;
let otherName: Shown;
let selfSigned: Shown;
let expired: Shown;

beforeAll(() => {
  const issued = (name: string, names?: string) => {
    mkdirSync(join(folder, name));
    const { ca, certFile, keyFile } = authority(join(folder, name), names);
    return { ca, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  };
  const first = issued('good');
  ca = first.ca;
  good = first;
  otherCa = issued('other').ca;
  const named = issued('named', 'DNS:mail.example.org');
  otherName = named;
  selfSigned = selfIssued('self', '20200101000000Z', '20991231000000Z');
  expired = selfIssued('expired', '20200101000000Z', '20200201000000Z');
  namedCa = named.ca;
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A certificate for localhost that vouches for itself. `openssl req` makes none whose time is over; `openssl ca` does. */
function selfIssued(name: string, from: string, until: string): Shown {
  const cwd = join(folder, name);
  mkdirSync(cwd);
  writeFileSync(join(cwd, 'index'), '');
  writeFileSync(join(cwd, 'serial'), '01');
  writeFileSync(
    join(cwd, 'settings'),
    '[ca]\ndefault_ca=own\n[own]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\n' +
      'policy=policy\nx509_extensions=names\n[policy]\ncommonName=supplied\n[names]\nsubjectAltName=DNS:localhost\n',
  );
  const openssl = (line: string) =>
    execFileSync('openssl', line.split(' '), { cwd, stdio: 'pipe' });
  openssl('req -newkey rsa:2048 -nodes -keyout key -out request -subj /CN=localhost');
  openssl(
    `ca -batch -config settings -selfsign -keyfile key -in request -out cert -notext -startdate ${from} -enddate ${until}`,
  );
  const read = (file: string) => readFileSync(join(cwd, file), 'utf8');
  return { cert: read('cert'), key: read('key') };
}

function fingerprint({ cert }: Shown): string {
  return new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase();
}

function account(port: number, more: Partial<Account>): Account {
  return {
    side: 'source',
    host: 'localhost',
    port,
    security: 'implicit',
    user: USER,
    auth: 'password',
    secret: async () => SECRET,
    ...more,
  };
}

function connect(account: Account, silence = 5_000): Promise<Client> {
  return Client.connect(account, { signal: new AbortController().signal, silence });
}

async function refused(account: Account, silence?: number): Promise<Failure> {
  const outcome = await connect(account, silence).then(
    (client) => {
      client.close();
      return new Error('connected, and should not have');
    },
    (failure: Failure) => failure,
  );
  expect(outcome).toMatchObject({ name: 'Failure' });
  return outcome as Failure;
}

/** Nothing that proves who we are was heard: no LOGIN, no AUTHENTICATE, neither name nor secret. */
function nothingSecret(server: FakeImap): void {
  expect(server.text).not.toMatch(/login|authenticate/i);
  expect(server.text).not.toContain(USER);
  expect(server.text).not.toContain(SECRET);
}

interface Row {
  readonly of: string;
  readonly server: () => FakeOptions;
  readonly account: () => Partial<Account>;
  readonly says: () => string;
}

const implicit = (shown: () => Shown) => () => ({ tls: shown(), implicit: true });
const starttls = (shown: () => Shown) => () => ({
  tls: shown(),
  capability: 'IMAP4rev1 STARTTLS',
});

const INSECURE: readonly Row[] = [
  {
    of: 'a certificate of another authority',
    server: implicit(() => good),
    account: () => ({ ca: otherCa }),
    says: () =>
      'its certificate comes from an authority that is not trusted here. If it is yours, name it in SOURCE_CA_FILE',
  },
  {
    of: 'a certificate of an authority that only we know, with none set',
    server: implicit(() => good),
    account: () => ({}),
    says: () =>
      'its certificate comes from an authority that is not trusted here. If it is yours, name it in SOURCE_CA_FILE',
  },
  {
    of: 'a self-signed certificate',
    server: implicit(() => selfSigned),
    account: () => ({}),
    says: () =>
      'its certificate is self-signed. If it is yours, trust it by SOURCE_TLS_FINGERPRINT or SOURCE_CA_FILE',
  },
  {
    of: 'a certificate for another name',
    server: implicit(() => otherName),
    account: () => ({ ca: namedCa }),
    says: () =>
      'its certificate is for mail.example.org. If that is your server, set SOURCE_TLS_NAME to its name there',
  },
  {
    of: 'a certificate for the host, where another name is set',
    server: implicit(() => good),
    account: () => ({ ca, tlsName: 'mail.example.org' }),
    says: () =>
      'its certificate is for localhost, 127.0.0.1. If that is your server, set SOURCE_TLS_NAME to its name there',
  },
  {
    of: 'an expired certificate',
    server: implicit(() => expired),
    account: () => ({ ca: expired.cert }),
    says: () => 'its certificate has expired. Ask its owner to renew it, or check the clock here',
  },
  {
    of: 'another certificate than the pinned one',
    server: implicit(() => good),
    account: () => ({ ca, fingerprint: fingerprint(selfSigned) }),
    says: () =>
      `its certificate has the SHA-256 fingerprint ${fingerprint(good)}, not the one in SOURCE_TLS_FINGERPRINT`,
  },
  {
    of: 'another certificate than the pinned one, after STARTTLS',
    server: starttls(() => good),
    account: () => ({ ca, security: 'starttls', fingerprint: fingerprint(selfSigned) }),
    says: () =>
      `its certificate has the SHA-256 fingerprint ${fingerprint(good)}, not the one in SOURCE_TLS_FINGERPRINT`,
  },
  {
    of: 'a self-signed certificate after STARTTLS',
    server: starttls(() => selfSigned),
    account: () => ({ security: 'starttls' }),
    says: () =>
      'its certificate is self-signed. If it is yours, trust it by SOURCE_TLS_FINGERPRINT or SOURCE_CA_FILE',
  },
  {
    of: 'a certificate for another name after STARTTLS',
    server: starttls(() => otherName),
    account: () => ({ security: 'starttls', ca: namedCa }),
    says: () =>
      'its certificate is for mail.example.org. If that is your server, set SOURCE_TLS_NAME to its name there',
  },
  {
    of: 'a server without STARTTLS, or someone who took it from the list',
    server: () => ({ capability: 'IMAP4rev1' }),
    account: () => ({ security: 'starttls' }),
    says: () => 'it does not offer STARTTLS, or refuses it. Try SOURCE_TLS=implicit with port 993',
  },
  {
    of: 'STARTTLS refused',
    server: () => ({
      capability: 'IMAP4rev1 STARTTLS',
      replies: { STARTTLS: ({ tag }) => `${tag} NO not today` },
    }),
    account: () => ({ security: 'starttls' }),
    says: () => 'it does not offer STARTTLS, or refuses it. Try SOURCE_TLS=implicit with port 993',
  },
  {
    of: 'PREAUTH where STARTTLS is wanted',
    server: () => ({ greeting: '* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] welcome' }),
    account: () => ({ security: 'starttls' }),
    says: () =>
      'it says that one is logged in already (PREAUTH), so that STARTTLS is not possible. Try SOURCE_TLS=implicit with port 993',
  },
  {
    of: 'words slipped in between STARTTLS and TLS',
    server: () => ({
      capability: 'IMAP4rev1 STARTTLS',
      replies: { STARTTLS: ({ tag }) => `${tag} OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN` },
    }),
    account: () => ({ security: 'starttls' }),
    says: () => 'it sent data between STARTTLS and TLS, as an attacker would',
  },
  {
    of: 'plain text where TLS is wanted',
    server: () => ({}),
    account: () => ({}),
    says: () =>
      'it does not speak TLS on that port. With port 143 set SOURCE_TLS=starttls; with TLS from the start it is mostly 993',
  },
  {
    of: 'a server that knows only TLS 1.1',
    server: () => ({
      tls: {
        ...selfSigned,
        minVersion: 'TLSv1',
        maxVersion: 'TLSv1.1',
        ciphers: 'ALL:@SECLEVEL=0',
      },
      implicit: true,
    }),
    account: () => ({}),
    says: () => 'it speaks only TLS older than 1.2, which is not safe',
  },
];

describe('nothing secret is sent to', () => {
  it.each(INSECURE)('$of', async (row) => {
    await using server = await FakeImap.start(row.server());
    const failure = await refused(account(server.port, row.account()));
    nothingSecret(server);
    expect(failure.message).toBe(
      `The source server localhost:${server.port} can not be trusted: ${row.says()}. No password was sent.`,
    );
    expect(failure).toMatchObject({
      step: 'connect',
      kind: 'insecure',
      scope: 'account',
      lasting: true,
      outcomeUnknown: false,
    } satisfies FailureFields);
  });
});

const TRUSTED: readonly Omit<Row, 'says'>[] = [
  {
    of: 'a certificate of the authority that is set',
    server: implicit(() => good),
    account: () => ({ ca }),
  },
  {
    of: 'a certificate of that authority, after STARTTLS',
    server: starttls(() => good),
    account: () => ({ ca, security: 'starttls' }),
  },
  {
    of: 'a certificate that bears the name that is set, in place of the host',
    server: implicit(() => otherName),
    account: () => ({ ca: namedCa, tlsName: 'mail.example.org' }),
  },
  {
    of: 'a host that is an address, which the certificate bears',
    server: implicit(() => good),
    account: () => ({ ca, host: '127.0.0.1' }),
  },
  {
    of: 'a self-signed certificate that is the pinned one',
    server: implicit(() => selfSigned),
    account: () => ({ fingerprint: fingerprint(selfSigned) }),
  },
  {
    of: 'a self-signed certificate that is the pinned one, after STARTTLS',
    server: starttls(() => selfSigned),
    account: () => ({ security: 'starttls', fingerprint: fingerprint(selfSigned) }),
  },
  {
    of: 'an expired certificate that is the pinned one',
    server: implicit(() => expired),
    account: () => ({ fingerprint: fingerprint(expired) }),
  },
  {
    of: 'a pinned certificate for another name',
    server: implicit(() => otherName),
    account: () => ({ fingerprint: fingerprint(otherName) }),
  },
];

describe('logs in, inside TLS, to', () => {
  it.each(TRUSTED)('$of', async (row) => {
    await using server = await FakeImap.start(row.server());
    const client = await connect(account(server.port, row.account()));
    expect(client.flow.secureConnection).toBe(true);
    expect(server.lines[0]?.socket).toBeInstanceOf(TLSSocket);
    expect(server.text).toContain(SECRET);
    client.close();
  });
});

it('asks the server by SNI for the name that is set', async () => {
  await using server = await FakeImap.start({ tls: otherName, implicit: true });
  const wanted = { ca: namedCa, tlsName: 'mail.example.org' };
  const client = await connect(account(server.port, wanted));
  expect(server.lines[0]?.socket).toHaveProperty('servername', 'mail.example.org');
  client.close();
});

const UNREACHED: readonly (Omit<Row, 'says'> & {
  readonly says: RegExp;
})[] = [
  {
    of: 'TLS where plain text is spoken to it',
    server: implicit(() => good),
    account: () => ({ security: 'none' }),
    says: /it sends no IMAP greeting\. Check the port, and whether it wants TLS from the start/,
  },
  {
    of: 'TLS where STARTTLS is wanted',
    server: implicit(() => good),
    account: () => ({ security: 'starttls' }),
    says: /it sends no IMAP greeting\. Check the port, and whether it wants TLS from the start/,
  },
  {
    of: 'a server that says nothing',
    server: () => ({ greeting: null }),
    account: () => ({ security: 'none' }),
    says: /it sends no IMAP greeting/,
  },
  {
    of: 'a server that does not begin TLS',
    server: () => ({ greeting: null }),
    account: () => ({}),
    says: /it does not answer\. Check host, port and network/,
  },
  {
    of: 'a server that does not go on with STARTTLS',
    server: () => ({ capability: 'IMAP4rev1 STARTTLS', replies: { STARTTLS: () => undefined } }),
    account: () => ({ security: 'starttls' }),
    says: /it has fallen silent/,
  },
  {
    of: 'a server that says goodbye at once',
    server: () => ({ greeting: '* BYE come back tomorrow, anna@example.org' }),
    account: () => ({ security: 'none' }),
    says: /the connection ended \(come back tomorrow, \(address\)\)/,
  },
  {
    of: 'a name that does not exist',
    server: () => ({}),
    account: () => ({ host: 'nowhere.invalid' }),
    says: /its name can not be (found|looked up)/,
  },
];

describe('says what to check, and sends nothing secret, of', () => {
  it.each(UNREACHED)('$of', async (row) => {
    await using server = await FakeImap.start(row.server());
    const failure = await refused(account(server.port, row.account()), 400);
    nothingSecret(server);
    expect(failure.message).toMatch(row.says);
    expect(failure).toMatchObject({ step: 'connect', scope: 'connection', kind: 'lost' });
    expect(failure.lasting).toBe(false);
  });

  it('a port on which nothing listens', async () => {
    const server = await FakeImap.start();
    await server[Symbol.asyncDispose]();
    const failure = await refused(account(server.port, {}));
    expect(failure.message).toBe(
      `The source server localhost:${server.port} can not be used: nothing answers on that port. Check host and port.`,
    );
    expect(failure).toMatchObject({ kind: 'lost', lasting: false });
  });
});
