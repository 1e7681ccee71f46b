/** One route: its two mailboxes and what lies between them, what was carried, how fast, and its folders. */
import { messagesChart, timesChart } from './charts.js';
import { el, nameOf, now, say, sayOfServer, setTime, show, timeOf } from './dom.js';
import { FoldersView } from './folders.js';
import { date, duration, many, number, size } from './words.js';

/** @typedef {import('../../domain/status.ts').RouteStatus} RouteStatus */
/** @typedef {import('../../domain/status.ts').RouteHistory} RouteHistory */
/** @typedef {import('../../domain/status.ts').Carried} Carried */
/** @typedef {import('../../domain/status.ts').Day} Day */

const IS = {
  connecting: 'connecting',
  connected: 'connected',
  lost: 'not reached',
  refused: 'login refused',
};
/** So many messages that wait make a drain. */
const DRAIN = 25;

/** How a route is, in a word and a colour. @param {RouteStatus} route */
export function stateOf({ ready, accounts, blocked, held, dryRun }) {
  if (accounts.some(({ is }) => is === 'refused')) return { tone: 'bad', says: 'login refused' };
  if (blocked !== undefined) return { tone: 'bad', says: 'blocked' };
  if (accounts.some(({ is }) => is === 'lost')) return { tone: 'care', says: 'not reached' };
  if (!ready) return { tone: 'starting', says: 'starting' };
  if (accounts.some(({ is }) => is !== 'connected')) return { tone: 'care', says: 'connecting' };
  if (held?.paced) return { tone: 'starting', says: 'paused by the rate limit' };
  if (held !== undefined) return { tone: 'care', says: 'paused' };
  return dryRun ? { tone: 'care', says: 'dry run' } : { tone: 'good', says: 'flowing' };
}

/** @param {RouteStatus} route */
export function waitingOf({ folders }) {
  return folders.reduce((all, { waiting }) => all + waiting.messages, 0);
}

/** The inside of a route. */
export class RouteBody {
  node = el('div', { class: 'route-body' });
  #source = new AccountView('Old mailbox');
  #destination = new AccountView('New mailbox');
  #line = el('div', { class: 'line', 'aria-hidden': 'true' }, boat());
  #notes = el('ul', { class: 'remarks' });
  #drain = el('div', { class: 'drain' });
  #bar = /** @type {HTMLProgressElement} */ (el('progress', { 'aria-label': 'Carried so far' }));
  #drainSays = el('p');
  #figures = new FiguresView();
  #charts = el('div', { class: 'charts' });
  #folders = new FoldersView();
  #drawn = '';
  #notesWere = '';
  /** @type {number | undefined} */
  #carriedAt;
  #seen = false;
  /** @type {RouteStatus | undefined} */
  #route;
  /** @type {RouteHistory | undefined} */
  #history;

  constructor() {
    const accounts = el(
      'div',
      { class: 'accounts' },
      this.#source.node,
      this.#line,
      this.#destination.node,
    );
    this.#drain.append(this.#drainSays, this.#bar);
    this.node.append(
      accounts,
      this.#notes,
      this.#drain,
      this.#figures.node,
      this.#charts,
      this.#folders.node,
    );
  }

  /** @param {RouteStatus} route @param {RouteHistory | undefined} history */
  update(route, history) {
    this.#route = route;
    this.#history = history;
    for (const account of route.accounts)
      (account.side === 'source' ? this.#source : this.#destination).update(account);
    this.#line.dataset.tone = stateOf(route).tone;
    this.#cross(route.carriedAt);
    this.#remark();
    this.#tellDrain();
    this.#figures.update(route, history);
    this.#draw(history);
    this.#folders.update(route.folders, history?.folders ?? []);
  }

  /** The boat crosses when a message has come over. @param {number | undefined} carriedAt */
  #cross(carriedAt) {
    if (this.#seen && carriedAt !== undefined && carriedAt !== this.#carriedAt) {
      this.#line.classList.remove('crossing');
      // Reading its width has the animation begin anew.
      void this.#line.offsetWidth;
      this.#line.classList.add('crossing');
    }
    this.#seen = true;
    this.#carriedAt = carriedAt;
  }

  /** What stands in the way, and what is stuck. */
  #remark() {
    const { blocked, held, folders, accounts } = /** @type {RouteStatus} */ (this.#route);
    const sum = (/** @type {'refused' | 'unverified'} */ what) =>
      folders.reduce((all, folder) => all + folder[what], 0);
    const [refused, unverified] = [sum('refused'), sum('unverified')];
    const is = JSON.stringify([blocked, held, accounts, refused, unverified]);
    if (is === this.#notesWere) return;
    this.#notesWere = is;
    const notes = [];
    for (const { side, why, is: state } of accounts)
      if (why !== undefined && state !== 'connected')
        notes.push(remark(`${side === 'source' ? 'Old' : 'New'} mailbox`, why));
    if (blocked) notes.push(remark('Blocked', blocked.why, blocked.since));
    if (held) notes.push(remark('Paused', held.why, held.since, held.until));
    if (refused + unverified > 0) {
      const parts = [
        ...(refused > 0 ? [`${number(refused)} refused`] : []),
        ...(unverified > 0 ? [`${number(unverified)} with a copy that differs`] : []),
      ];
      const node = remark(
        'Stuck',
        `${many(refused + unverified, 'message')} could not be carried and stay${refused + unverified === 1 ? 's' : ''} in the old mailbox (${parts.join(', ')}). `,
      );
      node.append(
        el('code', {}, 'imapferry stuck'),
        ' lists them and says why; ',
        el('code', {}, 'imapferry stuck --retry'),
        ' has them tried again now.',
      );
      notes.push(node);
    }
    show(this.#notes, notes.length > 0);
    this.#notes.replaceChildren(...notes);
  }

  #tellDrain() {
    const { drain } = /** @type {RouteStatus} */ (this.#route);
    const waiting = waitingOf(/** @type {RouteStatus} */ (this.#route));
    show(this.#drain, drain !== undefined || waiting >= DRAIN);
    const { messages = 0, bytes: carriedBytes = 0 } = this.#history?.month ?? {};
    const { count, bytes, left, eta } = drain ?? {
      count: messages,
      bytes: carriedBytes,
      left: waiting,
    };
    this.#bar.max = Math.max(1, count + left);
    this.#bar.value = count;
    const inBytes = bytes > 0 ? ` (${size(bytes)})` : '';
    const toGo = eta === undefined ? '' : `, about ${duration(eta)} to go`;
    say(
      this.#drainSays,
      `${number(count)} carried${inBytes}, ${number(left)} still to come${toGo}.`,
    );
  }

  /** @param {RouteHistory | undefined} history */
  #draw(history) {
    const drawn = JSON.stringify(history?.days ?? []);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const days = history?.days ?? [];
    show(
      this.#charts,
      days.some(({ messages }) => messages > 0),
    );
    const open = [...this.#charts.querySelectorAll('details')].map((each) => each.open);
    const charts = [
      chart('Messages a day', messagesChart(days), days, table(days)),
      chart('Delivery time', timesChart(days), days, timesTable(days)),
    ];
    this.#charts.replaceChildren(...charts);
    for (const [i, each] of [...this.#charts.querySelectorAll('details')].entries())
      each.open = open[i] ?? false;
  }
}

class AccountView {
  node;
  #is = el('span');
  #since = timeOf(0, 'since');
  #state = el('p', { class: 'state' });

  /** @param {string} name */
  constructor(name) {
    this.#state.append(el('span', { class: 'dot' }), ' ', this.#is, ' ');
    this.#state.append(el('span', { class: 'quiet' }, 'since ', this.#since));
    this.node = el('div', { class: 'account' }, el('h3', {}, name), this.#state);
  }

  /** @param {import('../../domain/status.ts').AccountStatus} account */
  update({ is, since }) {
    this.#state.dataset.is = is;
    say(this.#is, IS[is]);
    setTime(this.#since, since);
  }
}

class FiguresView {
  node = el('dl', { class: 'figures' });
  #counts = ['Today', '7 days', '30 days'].map((name) => figure(name));
  #last = figure('Last message');
  #time = timeOf(0);

  constructor() {
    this.node.append(...[...this.#counts, this.#last].map(({ node }) => node));
  }

  /** @param {RouteStatus} route @param {RouteHistory | undefined} history */
  update({ carriedAt, queued }, history) {
    const totals = [history?.today, history?.week, history?.month];
    for (const [i, { value, below }] of this.#counts.entries()) {
      const carried = totals[i];
      say(value, carried === undefined ? '–' : number(carried.messages));
      say(below, carried === undefined || carried.messages === 0 ? '' : size(carried.bytes));
    }
    const { value, below } = this.#last;
    if (carriedAt === undefined) say(value, '–');
    else {
      setTime(this.#time, carriedAt);
      if (this.#time.parentNode !== value) value.replaceChildren(this.#time);
    }
    const idle = carriedAt === undefined ? 'none since the start' : '';
    say(below, queued > 0 ? `${number(queued)} in hand` : idle);
  }
}

/** @param {string} name */
function figure(name) {
  const value = el('span', { class: 'value' });
  const below = el('span', { class: 'below' });
  return { node: el('div', {}, el('dt', {}, name), el('dd', {}, value, below)), value, below };
}

/**
 * @param {string} title
 * @param {string} why
 * @param {number} [since]
 * @param {number} [until]
 */
function remark(title, why, since, until) {
  const words = el('bdi');
  sayOfServer(words, why);
  const node = el('li', {}, el('strong', {}, title));
  if (since !== undefined) node.append(' since ', timeOf(since, 'since'));
  if (until !== undefined && until > now())
    node.append(', until ', timeOf(until, 'since'), ' at the latest');
  node.append(': ', words, ' ');
  return node;
}

/**
 * @param {string} title
 * @param {{ svg: SVGElement, says: string }} picture
 * @param {readonly Day[]} days
 * @param {HTMLElement} data
 */
function chart(title, { svg, says }, days, data) {
  const [first, last] = [days[0], days.at(-1)];
  return el(
    'figure',
    {},
    el('figcaption', {}, el('h3', {}, title), el('p', { class: 'quiet' }, says)),
    svg,
    el(
      'p',
      { class: 'axis', 'aria-hidden': 'true' },
      el('span', {}, first ? date(first.day) : ''),
      el('span', {}, last ? 'today' : ''),
    ),
    el(
      'details',
      {},
      el('summary', {}, 'As a table'),
      el(
        'div',
        { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': `${title} as a table` },
        data,
      ),
    ),
  );
}

/** @param {readonly Day[]} days */
function table(days) {
  return dataTable(
    'Messages a day',
    ['Day', 'Messages', 'Size'],
    days.map(({ day, messages, bytes }) => [date(day), number(messages), size(bytes)]),
  );
}

/** @param {readonly Day[]} days */
function timesTable(days) {
  /** @param {number | undefined} ms */
  const told = (ms) => (ms === undefined ? '–' : duration(ms));
  return dataTable(
    'Delivery time a day',
    ['Day', 'Half within', '95 of 100 within'],
    days.map(({ day, p50, p95 }) => [date(day), told(p50), told(p95)]),
  );
}

/** The latest day first. @param {string} caption @param {readonly string[]} heads @param {readonly (readonly string[])[]} rows */
function dataTable(caption, heads, rows) {
  const row = (/** @type {readonly string[]} */ [first = '', ...cells]) =>
    el('tr', {}, el('th', { scope: 'row' }, first), ...cells.map((text) => el('td', {}, text)));
  return el(
    'table',
    { class: 'data' },
    el('caption', { class: 'unseen' }, caption),
    el('thead', {}, el('tr', {}, ...heads.map((head) => el('th', { scope: 'col' }, head)))),
    el('tbody', {}, ...rows.toReversed().map(row)),
  );
}

/** The small ferry that lies on the line. */
function boat() {
  const SVG = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 16');
  svg.setAttribute('class', 'boat');
  for (const [name, d] of /** @type {const} */ ([
    ['hull', 'M1 9.5h22l-2.6 5.5H3.6z'],
    ['deck', 'M6 2.5h12v7H6z'],
    ['flap', 'M6 2.5l6 4 6-4'],
  ])) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('class', name);
    path.setAttribute('d', d);
    svg.append(path);
  }
  return svg;
}

/** The name of a route as a heading. @param {string} route @param {number} routes how many there are */
export function routeName(route, routes) {
  return routes === 1 && route === 'default'
    ? 'From the old mailbox to the new one'
    : nameOf(route);
}
