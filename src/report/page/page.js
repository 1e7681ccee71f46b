/** The status page: shows what imapferry says of itself, and keeps it up to date. It only reads. */
import {
  byId,
  clockSays,
  el,
  nameOf,
  now,
  Rows,
  say,
  sayOfServer,
  sayWithCode,
  setTime,
  show,
  tick,
  timeOf,
} from './dom.js';
import { waitingOf } from './route.js';
import { RoutesView } from './routes.js';
import { SendersView } from './senders.js';
import { many, number, since } from './words.js';

/** @typedef {import('../http/glance.ts').Told} Told */
/** @typedef {import('../../domain/status.ts').Trouble} Trouble */
/** @typedef {import('../../domain/status.ts').RouteHistory} RouteHistory */
/** @typedef {import('../http/world.ts').Senders} Senders */

/** So many troubles are told at once; the others unfold. */
const TROUBLES = 6;
/** How long (ms) the stream may be silent: it shows every 20 s that it lives. */
const SILENCE = 50_000;
/** How long it may be away before the page says so on top. */
const AWAY = 6_000;
const AGAIN = { first: 2_000, most: 30_000 };

const routes = new RoutesView(byId('routes'));
const senders = new SendersView(byId('senders'));

/** @type {Senders | null} */
let who = null;

/** @type {Told | undefined} */
let told;
/** @type {readonly RouteHistory[]} */
let histories = [];

// What is shown.

/** @param {Told} status */
function setStatus(status) {
  told = status;
  clockSays(status.at);
  tellVerdict();
  tellTroubles(status.troubles);
  routes.setRoutes(status.routes);
  tellRunning(status);
  senders.update(who, status.doubts);
  tick();
}

/** @param {readonly RouteHistory[]} all */
function setHistories(all) {
  histories = all;
  routes.setHistories(all);
  tellSummary();
}

/** @param {Senders | null} known */
function setSenders(known) {
  who = known;
  senders.update(who, told?.doubts ?? []);
}

function tellVerdict() {
  if (told === undefined) return;
  const { tone, says } = told.verdict;
  byId('top').dataset.tone = tone;
  sayOfServer(byId('verdict'), says);
  document.title = `${byId('verdict').textContent} · imapferry`;
  tellSummary();
}

/** Below the verdict: what came, and when last. */
function tellSummary() {
  if (told === undefined || link.isAway) return;
  const summary = byId('summary');
  const today = histories.reduce((all, history) => all + history.today.messages, 0);
  const carried = told.routes.flatMap(({ carriedAt }) => carriedAt ?? []);
  const waiting = told.routes.reduce((all, route) => all + waitingOf(route), 0);
  const ever = histories.some(({ month }) => month.messages > 0);
  if (carried.length === 0 && !ever && waiting === 0) {
    say(summary, NOTHING[told.verdict.tone]);
    return;
  }
  const parts = [
    ...(histories.length > 0
      ? [`${today === 0 ? 'Nothing' : many(today, 'message')} carried today`]
      : []),
    ...(waiting > 0 ? [`${number(waiting)} still to come`] : []),
  ];
  const words = parts.length > 0 ? [`${parts.join(', ')}.`] : [];
  if (carried.length === 0) {
    say(summary, words.join(' '));
    return;
  }
  if (lastTime.parentNode !== summary) summary.replaceChildren(beforeLast, lastTime, afterLast);
  beforeLast.data = [...words, 'The last one '].join(' ');
  setTime(lastTime, Math.max(...carried));
  afterLast.data = '.';
}
/** Where nothing has been carried yet. */
const NOTHING = {
  starting: 'Logging in at the mailboxes, and looking which folders there are.',
  good: 'Nothing has come yet. The next message is carried as soon as it arrives.',
  care: 'Nothing has been carried yet.',
  bad: 'Nothing has been carried yet.',
};
const beforeLast = new Text();
const lastTime = timeOf(0);
const afterLast = new Text();

const first = el('ul');
const rest = el('ul');
const more = el('details', { class: 'more' });
const moreSays = el('summary');
more.append(moreSays, rest);
byId('troubles').append(first, more);
const firstRows = new Rows(first, troubleView);
const restRows = new Rows(rest, troubleView);

/** @param {readonly Trouble[]} troubles */
function tellTroubles(troubles) {
  const sorted = [
    ...troubles.filter(({ unhealthy }) => unhealthy),
    ...troubles.filter(({ unhealthy }) => !unhealthy),
  ];
  const shown = sorted.length <= TROUBLES + 1 ? sorted.length : TROUBLES;
  /** @param {Trouble} trouble */
  const key = ({ cause, route, folder, side }) => JSON.stringify([cause, route, folder, side]);
  firstRows.update(sorted.slice(0, shown), key);
  restRows.update(sorted.slice(shown), key);
  show(byId('troubles'), sorted.length > 0);
  show(more, sorted.length > shown);
  say(moreSays, `${number(sorted.length - shown)} more`);
}

function troubleView() {
  const says = el('p', { class: 'says', dir: 'auto' });
  const help = el('p', { class: 'help', dir: 'auto' });
  const time = timeOf(0, 'since');
  const whose = el('p', { class: 'whose' });
  const node = el('li', {}, whose, says, help, el('p', { class: 'quiet' }, 'since ', time));
  return {
    node,
    /** @param {Trouble} trouble */
    update(trouble) {
      node.dataset.tone = trouble.unhealthy ? 'bad' : 'care';
      const isNamed = trouble.route !== undefined && (told?.routes.length ?? 0) > 1;
      show(whose, isNamed);
      if (isNamed) whose.replaceChildren(nameOf(trouble.route ?? ''));
      sayWithCode(says, trouble.says);
      sayWithCode(help, trouble.help);
      setTime(time, trouble.since);
    },
  };
}

const runningSince = timeOf(0, 'since');
const version = new Text();
byId('running').append(version, runningSince);

/** @param {Told} status */
function tellRunning(status) {
  version.data = `imapferry ${status.version}, running since `;
  setTime(runningSince, status.startedAt);
  show(byId('foot'), true);
}

/**
 * The link to imapferry. It is *connecting*: asks once for everything, then opens the stream; *live*: is told every change;
 * or *broken*: waits, each time longer, and connects anew. A stream that is silent for too long is broken, too: a connection
 * may end without anybody being told. Who has been away for a moment only need not hear of it.
 */
class Link {
  isAway = false;
  #seenAt = 0;
  #pause = AGAIN.first;
  /** @type {EventSource | undefined} */
  #stream;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #again;
  #asking = false;

  async connect() {
    clearTimeout(this.#again);
    if (this.#asking) return;
    this.#asking = true;
    this.#stream?.close();
    this.#tell('connecting');
    const answer = await this.#ask();
    this.#asking = false;
    if (typeof answer === 'number') {
      this.#break(answer === 401);
      return;
    }
    const { histories: carried, senders: known, ...status } = answer;
    this.#seen();
    setStatus(status);
    // While the journal can't be read, what was known last stays.
    if (carried !== undefined) setHistories(carried);
    if (known !== undefined) setSenders(known);
    this.#open();
  }

  /** All that there is to know; a number where it can't be had: what was answered, 0 for nothing. */
  async #ask() {
    try {
      const answer = await fetch(here('api/status'), { signal: AbortSignal.timeout(20_000) });
      return answer.ok ? await answer.json() : answer.status;
    } catch {
      return 0;
    }
  }

  /** Looks whether the stream is silent for too long. */
  check() {
    if (this.#stream !== undefined && Date.now() - this.#seenAt > SILENCE) this.#break();
    else if (this.#stream === undefined && Date.now() - this.#seenAt > AWAY) this.#away();
  }

  /** Somebody looks at the page again: no waiting now. */
  wake() {
    if (this.#stream === undefined) void this.connect();
    else this.check();
  }

  #open() {
    const stream = new EventSource(here('api/events'));
    this.#stream = stream;
    /** @param {string} topic @param {(value: any) => void} take */
    const on = (topic, take) =>
      stream.addEventListener(topic, ({ data }) => {
        if (stream !== this.#stream) return;
        this.#seen();
        take(JSON.parse(data));
      });
    on('status', setStatus);
    on('histories', setHistories);
    on('senders', setSenders);
    on('alive', clockSays);
    stream.addEventListener('open', () => {
      this.#pause = AGAIN.first;
      this.#tell('live');
    });
    stream.addEventListener('error', () => {
      if (stream === this.#stream) this.#break();
    });
  }

  #seen() {
    this.#seenAt = Date.now();
    if (!this.isAway) return;
    this.isAway = false;
    tellVerdict();
  }

  /** @param {boolean} [locked] the password is another one by now */
  #break(locked = false) {
    this.#stream?.close();
    this.#stream = undefined;
    if (locked) this.#lockOut();
    else if (Date.now() - this.#seenAt > AWAY) this.#away();
    this.#tell('broken');
    clearTimeout(this.#again);
    this.#again = setTimeout(() => void this.connect(), this.#pause);
    this.#pause = Math.min(AGAIN.most, this.#pause * 2);
  }

  #away() {
    this.isAway = true;
    byId('top').dataset.tone = 'away';
    say(byId('verdict'), 'Not connected to imapferry.');
    document.title = 'Not connected · imapferry';
    const last =
      told === undefined
        ? ''
        : ` Last seen ${since(this.#seenAt, now())}; what is below was so then.`;
    say(byId('summary'), `This page connects again by itself.${last}`);
  }

  #lockOut() {
    this.isAway = true;
    byId('top').dataset.tone = 'away';
    say(byId('verdict'), 'imapferry asks for its password.');
    say(byId('summary'), 'Load this page again to enter it.');
  }

  /** @param {'connecting' | 'live' | 'broken'} is */
  #tell(is) {
    byId('live').dataset.is = is;
    const last = this.#seenAt === 0 ? '' : `, last seen ${since(this.#seenAt, now())}`;
    say(byId('live-says'), is === 'broken' ? `not connected${last}` : is);
  }
}

/** A name and password in the address of the page would not be taken in a request of its own. @param {string} path */
function here(path) {
  const url = new URL(path, location.href);
  url.username = '';
  url.password = '';
  return url;
}

const link = new Link();
void link.connect();
setInterval(() => {
  link.check();
  tick();
}, 5_000);
addEventListener('online', () => link.wake());
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) link.wake();
});
