/** Who still writes to the old address: the list of accounts to move. Domains only. */
import { el, nameOf, show, timeOf } from './dom.js';
import { date, many, number } from './words.js';

/** @typedef {import('../http/world.ts').Senders} Senders */
/** @typedef {import('../http/world.ts').SenderDomain} SenderDomain */

/** So many domains are shown at once; the others unfold. */
const SHOWN = 8;
const DAY = 24 * 60 * 60 * 1000;

export class SendersView {
  #parent;
  #was = '';

  /** @param {Element} parent */
  constructor(parent) {
    this.#parent = parent;
  }

  /** @param {Senders | null} senders */
  update(senders) {
    const is = JSON.stringify(senders);
    if (is === this.#was) return;
    this.#was = is;
    show(this.#parent, senders !== null);
    if (senders === null) return;
    const open = [...this.#parent.querySelectorAll('details')].map((each) => each.open);
    const title = el('h2', {}, 'Who still writes to the old address');
    const details = el('details', { open: '' }, el('summary', {}, title), ...told(senders));
    this.#parent.replaceChildren(details);
    for (const [i, each] of [...this.#parent.querySelectorAll('details')].entries())
      if (open[i] !== undefined) each.open = open[i];
  }
}

/** @param {Senders} senders */
function told(senders) {
  const { domains, since, days } = senders;
  const sorted = domains.toSorted((one, other) => other.lastAt - one.lastAt);
  const whole = Date.now() - since >= (days - 1) * DAY;
  const from = new Date(since);
  const day = [from.getFullYear(), from.getMonth() + 1, from.getDate()].join('-');
  const span = whole ? `in the last ${days} days` : `since ${date(day)}`;
  if (domains.length === 0)
    return [
      el(
        'p',
        { class: 'lead' },
        whole
          ? `Nobody has written to it ${span}. The old mailbox can go.`
          : `Nobody has written to it ${span}. Wait for the ${days} days to be full before you let it go.`,
      ),
    ];
  const people = sorted.filter(({ bulk }) => !bulk);
  const bulk = sorted.filter((sender) => sender.bulk);
  const lead =
    people.length === 0
      ? `Only mailing lists and newsletters have written to it ${span}.`
      : `${many(people.length, 'domain')} wrote to it ${span}: tell them the new address. When the list is empty, the old mailbox can go.`;
  return [
    el('p', { class: 'lead' }, lead),
    el(
      'div',
      { class: 'lists' },
      ...(people.length > 0 ? [list('People, companies, authorities', people)] : []),
      ...(bulk.length > 0 ? [list('Mailing lists and newsletters', bulk)] : []),
    ),
  ];
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
