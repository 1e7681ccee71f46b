/** The folders of a route as a table: on a phone each row is a small card, and stays a row to who hears it. */
import { el, nameOf, Rows, say, sayOfServer, show, timeOf } from './dom.js';
import { brief, many, number, size } from './words.js';

/** @typedef {import('../../domain/status.ts').FolderStatus} FolderStatus */
/** @typedef {import('../../domain/status.ts').Totals} Totals */
/** @typedef {FolderStatus & { totals: Totals | undefined }} Folder */

/** So many folders are shown at once; the others unfold. */
const SHOWN = 10;

const WATCHED = { idle: 'by IDLE', rounds: 'in rounds', not: 'not watched' };
const COLUMNS = ['Folder', 'Watched', 'Last message', 'Waiting', 'Today', '7 days', '30 days'];

/** The folders of one route. */
export class FoldersView {
  node = el('div', { class: 'folders' });
  #first = table('Folders');
  #rest = table('More folders');
  #more = el('details', { class: 'more' });
  #summary = el('summary');
  #none = el('p', { class: 'quiet' }, 'The folders are being looked up.');

  constructor() {
    this.#more.append(this.#summary, this.#rest.node);
    this.node.append(this.#none, this.#first.node, this.#more);
  }

  /** @param {readonly FolderStatus[]} folders @param {readonly (Totals & { folder: string })[]} totals */
  update(folders, totals) {
    const byName = new Map(totals.map((each) => [each.folder, each]));
    const all = folders.map((folder) => ({ ...folder, totals: byName.get(folder.folder) }));
    // In the order of the plan, those that want a look first: a row moves only when that changes.
    const sorted = [...all.filter(wantsLook), ...all.filter((folder) => !wantsLook(folder))];
    const shown = sorted.length <= SHOWN + 2 ? sorted.length : SHOWN;
    const rest = sorted.slice(shown);
    this.#first.update(sorted.slice(0, shown));
    this.#rest.update(rest);
    show(this.#none, all.length === 0);
    show(this.#first.node, all.length > 0);
    show(this.#more, rest.length > 0);
    const hidden = rest.filter(wantsLook).length;
    say(
      this.#summary,
      `${many(rest.length, 'more folder')}${hidden > 0 ? `, ${number(hidden)} of them with something to see` : ''}`,
    );
  }
}

/** @param {FolderStatus} folder */
function wantsLook({ leftOut, refused, unverified, waiting, watched }) {
  return (
    leftOut !== undefined || refused + unverified > 0 || waiting.messages > 0 || watched === 'not'
  );
}

/** Its roles are said by name: a row that is laid out as a grid would else be none any more. @param {string} caption */
function table(caption) {
  const heads = COLUMNS.map((name) => el('th', { scope: 'col', role: 'columnheader' }, name));
  const body = el('tbody', { role: 'rowgroup' });
  const rows = new Rows(body, (/** @type {Folder} */ folder) => new FolderRow(folder));
  const node = el(
    'table',
    { role: 'table' },
    el('caption', { class: 'unseen' }, caption),
    el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, ...heads)),
    body,
  );
  return {
    node,
    /** @param {readonly Folder[]} folders */
    update: (folders) => rows.update(folders, ({ folder, dest }) => `${folder}\n${dest}`),
  };
}

class FolderRow {
  node;
  #watched = cell('watched');
  #last = cell('last');
  #waiting = cell('waiting');
  #today = cell('count');
  #week = cell('count');
  #month = cell('count month');
  #notes = el('ul', { class: 'notes' });
  #was = '';

  /** @param {Folder} folder */
  constructor({ folder, dest }) {
    const name = el(
      'th',
      { scope: 'row', role: 'rowheader' },
      nameOf(folder),
      ' ',
      el('span', { class: 'dest' }, '→\u00a0', nameOf(dest)),
      this.#notes,
    );
    this.node = el(
      'tr',
      { role: 'row' },
      name,
      this.#watched,
      this.#last,
      this.#waiting,
      this.#today,
      this.#week,
      this.#month,
    );
  }

  /** @param {Folder} folder */
  update(folder) {
    const is = JSON.stringify(folder);
    if (is === this.#was) return;
    this.#was = is;
    const { watched, since, carriedAt, waiting, totals } = folder;
    this.node.classList.toggle('look', wantsLook(folder));
    this.#watched.dataset.is = watched;
    this.#watched.replaceChildren(
      el('span', { class: 'dot' }),
      ` ${WATCHED[watched]} `,
      el('span', { class: 'quiet' }, 'since ', timeOf(since, 'since')),
    );
    this.#last.replaceChildren(carriedAt === undefined ? none() : timeOf(carriedAt));
    this.#waiting.replaceChildren(waiting.messages === 0 ? none() : number(waiting.messages));
    this.#waiting.classList.toggle('some', waiting.messages > 0);
    this.#waiting.classList.toggle('kept', waiting.oldest?.why !== undefined);
    for (const [node, carried] of /** @type {const} */ ([
      [this.#today, totals?.today],
      [this.#week, totals?.week],
      [this.#month, totals?.month],
    ])) {
      node.replaceChildren(carried?.messages ? number(carried.messages) : none());
      node.title = carried?.messages ? size(carried.bytes) : '';
    }
    const notes = notesOf(folder);
    show(this.#notes, notes.length > 0);
    this.#notes.replaceChildren(...notes);
  }
}

/** What is to be said of a folder, beside its numbers. @param {FolderStatus} folder */
function notesOf({ leftOut, waiting: { messages, oldest }, refused, unverified }) {
  const notes = [];
  if (leftOut !== undefined) notes.push(note(`left out: ${leftOut}`));
  if (messages > 0 && oldest !== undefined) {
    const waits = note(oldest.why ?? 'on its way');
    if (oldest.why === undefined) waits.className = 'calm';
    waits.prepend(
      messages === 1 ? 'waits since ' : 'the oldest waits since ',
      timeOf(oldest.since, 'since'),
      ': ',
    );
    notes.push(waits);
  }
  if (refused > 0) notes.push(note(`${many(refused, 'message')} refused`));
  if (unverified > 0) notes.push(note(`${many(unverified, 'message')} with a copy that differs`));
  return notes;
}

/** @param {string} text */
function note(text) {
  const words = el('bdi');
  sayOfServer(words, brief(text));
  return el('li', {}, words);
}

/** @param {string} name */
function cell(name) {
  return el('td', { class: name, role: 'cell' });
}

function none() {
  return el('span', { class: 'none', 'aria-label': 'none', role: 'img' }, '–');
}
