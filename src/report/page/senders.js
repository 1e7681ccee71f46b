/** Who still writes to the old address: the list of accounts to move. Domains only. */
import { el, nameOf, now, show, timeOf } from './dom.js';
import { date, many, number, visible } from './words.js';

/** @typedef {import('../http/world.ts').Senders} Senders */
/** @typedef {import('../http/world.ts').SenderDomain} SenderDomain */

/** So many domains are shown at once; the others unfold. */
const SHOWN = 8;
const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;

export class SendersView {
  #parent;
  #was = '';

  /** @param {Element} parent */
  constructor(parent) {
    this.#parent = parent;
  }

  /**
   * @param {Senders | null} senders
   * @param {readonly string[]} doubts what speaks against letting the old mailbox go: whole sentences
   */
  update(senders, doubts) {
    const is = JSON.stringify([senders, senders?.domains.length === 0 ? doubts : []]);
    if (is === this.#was) return;
    this.#was = is;
    show(this.#parent, senders !== null);
    if (senders === null) return;
    const open = [...this.#parent.querySelectorAll('details')].map((each) => each.open);
    const title = el('h2', {}, 'Who still writes to the old address');
    const details = el('details', { open: '' }, el('summary', {}, title), ...told(senders, doubts));
    this.#parent.replaceChildren(details);
    for (const [i, each] of [...this.#parent.querySelectorAll('details')].entries())
      if (open[i] !== undefined) each.open = open[i];
  }
}

/** @param {Senders} senders @param {readonly string[]} doubts */
function told(senders, doubts) {
  const { domains, since, days } = senders;
  const sorted = domains.toSorted((one, other) => other.lastAt - one.lastAt);
  // Both clocks may differ a little.
  const whole = now() - since >= days * DAY - HOUR;
  const from = new Date(since);
  const day = [from.getFullYear(), from.getMonth() + 1, from.getDate()].join('-');
  const span = whole ? `in the last ${days} days` : `since ${date(day)}`;
  if (domains.length === 0) {
    const nobody = `Nobody has written to it ${span}`;
    if (!whole)
      return [lead(`${nobody}. Wait for the ${days} days to be full before you let it go.`)];
    if (doubts.length === 0) return [lead(`${nobody}. The old mailbox can go.`)];
    return [
      lead(`${nobody}, as far as imapferry knows. It is too early to let the old mailbox go:`),
      el('ul', {}, ...doubts.map((doubt) => el('li', { dir: 'auto' }, visible(doubt)))),
    ];
  }
  const people = sorted.filter(({ bulk }) => !bulk);
  const bulk = sorted.filter((sender) => sender.bulk);
  const says =
    people.length === 0
      ? `Only mailing lists and newsletters have written to it ${span}.`
      : `${many(people.length, 'domain')} wrote to it ${span}: tell them the new address. When the list is empty, the old mailbox can go.`;
  return [
    lead(says),
    el(
      'div',
      { class: 'lists' },
      ...(people.length > 0 ? [list('People, companies, authorities', people)] : []),
      ...(bulk.length > 0 ? [list('Mailing lists and newsletters', bulk)] : []),
    ),
  ];
}

/** @param {string} text */
function lead(text) {
  return el('p', { class: 'lead' }, text);
}

/** @param {string} title @param {readonly SenderDomain[]} domains */
function list(title, domains) {
  const rest = domains.slice(domains.length <= SHOWN + 2 ? domains.length : SHOWN);
  const first = domains.slice(0, domains.length - rest.length);
  const node = el('div', {}, el('h3', {}, title), table(title, first));
  if (rest.length > 0)
    node.append(
      el(
        'details',
        { class: 'more' },
        el('summary', {}, many(rest.length, 'more domain')),
        table(`${title}: more`, rest),
      ),
    );
  return node;
}

/** @param {string} caption @param {readonly SenderDomain[]} domains */
function table(caption, domains) {
  const heads = ['Domain', 'Messages', 'Last'].map((head) => el('th', { scope: 'col' }, head));
  const rows = domains.map(({ domain, messages, lastAt }) =>
    el(
      'tr',
      {},
      el('th', { scope: 'row' }, nameOf(domain)),
      el('td', { class: 'count' }, number(messages)),
      el('td', { class: 'last' }, timeOf(lastAt)),
    ),
  );
  return el(
    'table',
    { class: 'domains' },
    el('caption', { class: 'unseen' }, caption),
    el('thead', {}, el('tr', {}, ...heads)),
    el('tbody', {}, ...rows),
  );
}
