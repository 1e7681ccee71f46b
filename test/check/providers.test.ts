/** docs/providers.md says what src/check/providers.ts says, and its settings can be used. */
import { readFileSync } from 'node:fs';
import { parse } from 'dotenv';
import { describe, expect, test } from 'vitest';
import { PROVIDERS, providerOf } from '../../src/check/providers.ts';
import { planOf } from '../../src/forward/planning.ts';
import { load } from '../config/support.ts';

const page = readFileSync(new URL('../../docs/providers.md', import.meta.url), 'utf8');

const sections = page
  .split(/^## /m)
  .slice(1)
  .map((section) => ({ name: section.split('\n', 1)[0] ?? '', section }))
  .filter(({ name }) => name !== 'Any other');

/** The blocks of settings in a section. */
const blocks = (section: string) =>
  [...section.matchAll(/^```\n(.*?)^```$/gms)].map(([, block = '']) => parse(block));

test('has the providers that households have', () => {
  expect(sections.map(({ name }) => name)).toEqual([
    'Gmail',
    'Outlook.com and Microsoft 365',
    'iCloud',
    'Yahoo and AOL',
    'GMX',
    'Web.de',
    'T-Online',
    'Fastmail',
    'Proton Mail Bridge',
  ]);
});

describe.each(sections)('$name', ({ name, section }) => {
  const provider = PROVIDERS.find((each) => each.name === name);

  test('is known to check by the servers that the page names', () => {
    expect(provider, `no provider is called "${name}" in src/check/providers.ts`).toBeDefined();
    const named = blocks(section).map(({ SOURCE_HOST, DEST_HOST }) => SOURCE_HOST ?? DEST_HOST);
    expect(named).toHaveLength(2);
    for (const host of [...named, ...tableOf(section).hosts])
      if (provider?.hosts.length) expect(providerOf(host ?? '', undefined)?.name).toBe(name);
  });

  test('has one block of settings for either side, and they can be used', () => {
    const [source = {}, dest = {}] = blocks(section);
    const settings = (block: Record<string, string>) => ({
      ...Object.fromEntries(
        Object.entries(block).map(([key, value]) => [key, value === '…' ? 'ab'.repeat(32) : value]),
      ),
      ...(block.SOURCE_PASSWORD_COMMAND && { SOURCE_PASSWORD: undefined }),
      ...(block.DEST_PASSWORD_COMMAND && { DEST_PASSWORD: undefined }),
      PATH: process.env.PATH,
    });
    const { port } = tableOf(section);
    const asSource = load(settings(source)).routes[0]?.source;
    expect([asSource?.host, asSource?.port]).toEqual([source.SOURCE_HOST, port]);
    const asDest = load(settings(dest)).routes[0]?.destination;
    expect([asDest?.host, asDest?.port]).toEqual([dest.DEST_HOST, port]);
    for (const key of Object.keys(source)) expect(key).not.toMatch(/^DEST_/);
    for (const key of Object.keys(dest)) expect(key).not.toMatch(/^SOURCE_/);
  });

  test('says what the data says of proof, sign-in and connections', () => {
    const [source, dest] = blocks(section);
    expect(dest?.VERIFY).toBe(provider?.rewrites ? 'headers' : undefined);
    const oauth = provider?.signIn?.includes('OAuth 2: set') ? 'oauth2' : undefined;
    expect([source?.SOURCE_AUTH, dest?.DEST_AUTH]).toEqual([oauth, oauth]);
    if (provider?.signIn?.includes('app password')) expect(section).toContain('app password');
    if (provider?.connections) expect(section).toContain(`${provider.connections} connections`);
  });
});

test('the folders that it says to join are joined, and none is left behind', () => {
  const [, rules = ''] = /`FOLDERS=(.*Unbekannt=.*?)`/.exec(page) ?? [];
  const [route] = load({ FOLDERS: rules }).routes;
  if (route === undefined) throw new Error('no route');
  const listing = (...paths: string[]) => ({
    folders: paths.map((path) => ({ path, delimiter: '/', attributes: new Set<string>() })),
    createsSpecialUse: false,
  });
  const plan = planOf(route, listing('INBOX', 'Unbekannt', 'Rechnungen'), listing('INBOX'));
  expect(plan.mistakes).toEqual([]);
  expect(plan.pairs.map(({ source, dest }) => `${source} → ${dest}`)).toEqual([
    'INBOX → INBOX',
    'Unbekannt → INBOX',
    'Rechnungen → Rechnungen',
  ]);
});

/** What the table of a section says: hosts, and the port. */
function tableOf(section: string): { hosts: string[]; port: number } {
  const [, hosts = '', port = ''] = /^\|---.*\n\| (.*?) \| (\d+)/m.exec(section) ?? [];
  return {
    hosts: [...hosts.matchAll(/`([^`]+)`/g)].map(([, host = '']) => host),
    port: Number(port),
  };
}
