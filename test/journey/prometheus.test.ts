/** A real Prometheus asks the program itself, judges it by the rules of docs/monitoring, and answers what the dashboard asks. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { unpacked } from '../support/debian.ts';
import { type Dovecot, startDovecot } from '../support/dovecot.ts';
import { Mail, message } from '../support/mail.ts';
import { freePorts } from '../support/ports.ts';
import { Place, Program } from './program.ts';

const MONITORING = fileURLToPath(new URL('../../docs/monitoring/', import.meta.url));
const WITHIN = { timeout: 40_000, interval: 200 };

let source: Dovecot;
let destination: Dovecot;
let bin: string;
beforeAll(async () => {
  bin = join(unpacked('prometheus', ['prometheus']), 'usr/bin');
  [source, destination] = await Promise.all([startDovecot(), startDovecot()]);
}, 120_000);
afterAll(() => Promise.all([source, destination].map((server) => server?.stop())));

interface Answer {
  readonly status: string;
  readonly data: { readonly result: readonly { metric: object; value: [number, string] }[] };
}

/** A Prometheus with the configuration of docs/monitoring that asks that port every second. */
async function prometheus(place: Place, target: number) {
  const [port] = await freePorts(1);
  const config = parse(readFileSync(join(MONITORING, 'prometheus.yml'), 'utf8'));
  config.global = { scrape_interval: '1s', evaluation_interval: '1s' };
  config.rule_files = [join(MONITORING, 'alerts.yml')];
  config.scrape_configs[0].static_configs[0].targets = [`127.0.0.1:${target}`];
  const file = place.file('prometheus.yml', stringify(config));
  const data = join(place.home, 'prometheus');
  mkdirSync(data);
  const child = spawn(
    join(bin, 'prometheus'),
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${data}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { stdio: 'ignore' },
  );
  const ended = once(child, 'exit');
  const api = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    return (await answer.json()) as Answer;
  };
  return {
    api,
    query: (text: string) => api(`query?${new URLSearchParams({ query: text })}`),
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}

/** The first value of an answer. */
const firstOf = ({ data }: Answer) => Number(data.result[0]?.value[1] ?? Number.NaN);

/** What the dashboard asks, with its variables filled in. */
function dashboardQueries(): string[] {
  const dashboard = JSON.parse(
    readFileSync(join(MONITORING, 'grafana-dashboard.json'), 'utf8'),
  ) as { panels: { targets: { expr: string }[] }[] };
  return dashboard.panels.flatMap(({ targets }) =>
    targets.map(({ expr }) =>
      expr.replaceAll('$route', '.*').replaceAll('$__rate_interval', '5m').replaceAll('1h', '5m'),
    ),
  );
}

it('is asked, judged by the alert rules, and shown by the dashboard', async () => {
  using place = new Place();
  const [port] = await freePorts(1);
  await using program = new Program(
    place,
    place.settings(source, destination, { HTTP_PORT: String(port) }),
  );
  await program.saw('watcher.idling');
  await using its = await prometheus(place, port);
  await vi.waitFor(async () => {
    expect(firstOf(await its.query('up{job="imapferry"}'))).toBe(1);
    expect(firstOf(await its.query('imapferry_healthy'))).toBe(1);
    expect(firstOf(await its.query('imapferry_delivered_messages_total or vector(0)'))).toBe(0);
  }, WITHIN);

  await using old = await Mail.login(source.port, 'anna', source.users.anna ?? '');
  for (let i = 0; i < 3; i++) await old.put('INBOX', message());
  await program.saw('delivery.done', 3);
  await vi.waitFor(async () => {
    const carried = 'sum(imapferry_delivered_messages_total{route="default",folder="INBOX"})';
    expect(firstOf(await its.query(carried))).toBe(3);
    expect(firstOf(await its.query('imapferry_watchers{state="idle"}'))).toBeGreaterThan(0);
    expect(
      firstOf(await its.query('count(imapferry_delivery_seconds_bucket) > 0')),
    ).toBeGreaterThan(0);
  }, WITHIN);

  for (const query of dashboardQueries()) {
    const { status } = await its.query(query);
    expect([query, status]).toEqual([query, 'success']);
  }
  const rules = (await its.api('rules')) as unknown as {
    data: { groups: { rules: { name: string; health: string; state: string; query: string }[] }[] };
  };
  const all = rules.data.groups.flatMap(({ rules }) => rules);
  expect(all.length).toBeGreaterThan(5);
  for (const { name, health, state } of all)
    expect([name, health, state]).toEqual([name, 'ok', 'inactive']);

  // What the rules and the dashboard ask for is there under that name.
  const asked = new Set(
    [...dashboardQueries(), ...all.map(({ query }) => query)].flatMap(
      (text) => text.match(/imapferry_[a-z_]+/g) ?? [],
    ),
  );
  const told = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  for (const name of asked) expect(told).toContain(`# TYPE ${name.replace(/_bucket$/, '')} `);

  await program.kill('SIGTERM');
  await vi.waitFor(async () => {
    const { data } = (await its.api('alerts')) as unknown as {
      data: { alerts: { labels: { alertname: string } }[] };
    };
    expect(data.alerts.map(({ labels }) => labels.alertname)).toContain('ImapferryDown');
  }, WITHIN);
});

it('alert rules and configuration are what promtool accepts', () => {
  for (const [what, file] of [
    ['rules', 'alerts.yml'],
    ['config', 'prometheus.yml'],
  ] as const) {
    const said = execFileSync(join(bin, 'promtool'), ['check', what, join(MONITORING, file)]);
    expect(said.toString()).toContain('SUCCESS');
  }
});
