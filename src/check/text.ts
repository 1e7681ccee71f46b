/** The report as text for people, at most 80 columns wide, and as JSON for programs. Pure. */
import { printable, size } from '../report/sentences.ts';
import { cut, padded, width, wrapped } from '../report/width.ts';
import type { CheckReport, PlannedReport, PlanReport, RouteReport, SideReport } from './report.ts';

const COLUMNS = 80;
const DAY = 86_400_000;

/** `now`: epoch ms, against which the days left of a certificate are counted. Ends without a line end. */
export function reportText({ doubts, routes }: CheckReport, now: number): string {
  const lines = doubts.length > 0 ? ['settings', ...listed(doubts), ''] : [];
  for (const route of routes) lines.push(...routeLines(route, now), '');
  return lines.join('\n').trimEnd();
}

/** On one line. Control and text-direction characters are escaped, so that it may be shown on a terminal, too. */
export function reportJson(report: CheckReport): string {
  return printable(JSON.stringify(report));
}

function routeLines(report: RouteReport, now: number): string[] {
  const { route, ready, why, notes, source, destination, plan } = report;
  return [
    ...paragraph(`route ${route}: ${ready ? 'ready' : 'not ready'}`),
    ...listed(why),
    '',
    ...sideLines('source', source, now),
    '',
    ...sideLines('destination', destination, now),
    ...(plan ? ['', ...planLines(plan)] : []),
    ...(notes.length > 0 ? ['', 'to know', ...listed(notes)] : []),
  ];
}

function sideLines(name: string, side: SideReport, now: number): string[] {
  const { loggedIn, server, has, lacks, largestMessage, quotas, connections } = side;
  const facts: string[] = [wireLine(side, now)];
  if (loggedIn) facts.push(`logged in${server ? `; the server calls itself ${server}` : ''}`);
  else if (side.reached) facts.push('not logged in');
  if (has.length > 0) facts.push(`has ${has.join(', ')}`);
  for (const { capability, costs } of lacks) facts.push(`no ${capability}: ${costs}`);
  if (largestMessage !== undefined) facts.push(`takes messages of ${size(largestMessage)} at most`);
  for (const { used, limit } of quotas) {
    facts.push(`${big(used)} of ${big(limit)} used, ${big(Math.max(0, limit - used))} free`);
  }
  if (connections) facts.push(connectionsLine(connections));
  if (side.hint !== undefined) facts.push(`${side.provider}: ${side.hint}`);
  return [...paragraph(`${name} ${side.host}:${side.port}`), ...listed(facts)];
}

function connectionsLine({ used, allowed }: NonNullable<SideReport['connections']>): string {
  const many = `${used} connection${used === 1 ? '' : 's'} at most while it runs`;
  return allowed === undefined ? many : `${many}; ${allowed} are allowed, all clients together`;
}

function wireLine({ reached, security, tls }: SideReport, now: number): string {
  if (!reached) return 'not reached';
  if (tls === undefined)
    return security === 'none'
      ? 'reached, WITHOUT TLS: everybody on the way can read along'
      : 'reached';
  const protocol = tls.protocol.replace(/^TLSv/, 'TLS ');
  if (tls.certificateEnds === undefined) return `reached, ${protocol}`;
  const days = Math.floor((Date.parse(tls.certificateEnds) - now) / DAY);
  const left = days < 0 ? 'that is past' : `${days} day${days === 1 ? '' : 's'}`;
  return `reached, ${protocol}, certificate good until ${tls.certificateEnds.slice(0, 10)} (${left})`;
}

/** Columns: two for the margin, one between any two cells. */
const MESSAGES = 8;
const SIZE = 8;
const ARROW = 1;
const STATE = 5;
const WATCHED = 7;
const NAMES = COLUMNS - 2 - MESSAGES - SIZE - ARROW - STATE - WATCHED - 6;

function planLines({ folders, leftOut, messages, bytes }: PlanReport): string[] {
  // What was asked for by name stands among the notes.
  const ofCourse = leftOut.filter((each) => each.ofCourse);
  const longest = (of: 'source' | 'destination', head: string) =>
    Math.max(width(head), ...folders.map((folder) => width(printable(folder[of]))));
  const [sourceHead, destHead] = ['source folder', 'destination'];
  const [left, right] = shares(longest('source', sourceHead), longest('destination', destHead));
  const row = (cells: Row) => tableRow(cells, left, right);
  return [
    'plan',
    ...row([sourceHead, 'messages', 'size', ' ', destHead, '', 'watched']),
    ...folders.flatMap((folder) => [...row(cellsOf(folder)), ...saidOf(folder)]),
    ...row(['total', String(messages), big(bytes), ' ', '', '', '']),
    ...(ofCourse.length > 0
      ? ['', 'left out', ...listed(ofCourse.map(({ folder, why }) => `${folder}: ${why}`))]
      : []),
  ];
}

type Row = readonly [string, string, string, string, string, string, string];

function cellsOf(folder: PlannedReport): Row {
  const { source, destination, messages, bytes, exists, watched } = folder;
  return [
    source,
    messages === undefined ? '?' : String(messages),
    bytes === undefined ? '?' : big(bytes),
    '→',
    destination,
    exists ? 'there' : 'new',
    watched,
  ];
}

function saidOf({ said }: PlannedReport): string[] {
  return said === undefined ? [] : wrapped(`    ${printable(said)}`, COLUMNS, '    ');
}

/** How the two name columns share their room: each what it needs, a half at least. */
function shares(left: number, right: number): [number, number] {
  if (left + right <= NAMES) return [left, right];
  const half = Math.floor(NAMES / 2);
  if (left <= half) return [left, NAMES - left];
  return right <= half ? [NAMES - right, right] : [half, NAMES - half];
}

/** One line, or as many as the names take. */
function tableRow(row: Row, left: number, right: number): string[] {
  const [source, messages, bytes, arrow, dest, state, watched] = row;
  const sources = cut(printable(source), left);
  const dests = cut(printable(dest), right);
  return Array.from({ length: Math.max(sources.length, dests.length) }, (_, i) => {
    const first = (cell: string) => (i === 0 ? cell : '');
    return [
      `  ${padded(sources[i] ?? '', left)}`,
      padded(first(messages), MESSAGES, 'right'),
      padded(first(bytes), SIZE, 'right'),
      padded(first(arrow), ARROW),
      padded(dests[i] ?? '', right),
      padded(first(state), STATE),
      first(watched),
    ]
      .join(' ')
      .trimEnd();
  });
}

/** As `size`, with GB, which messages never reach and folders do. */
function big(bytes: number): string {
  return bytes < 999_950_000 ? size(bytes) : `${(bytes / 1e9).toFixed(1)} GB`;
}

function listed(sentences: readonly string[]): string[] {
  return sentences.flatMap((each) => wrapped(`  ${printable(each)}`, COLUMNS, '    '));
}

function paragraph(text: string): string[] {
  return wrapped(printable(text), COLUMNS, '    ');
}
