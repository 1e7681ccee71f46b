/** How the page is built: every text goes in as text, never as markup, and only what changes is touched. */
import { ago, brief, fully, since, visible } from './words.js';

/**
 * @param {string} tag
 * @param {Readonly<Record<string, string>>} attributes
 * @param {readonly (Node | string)[]} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** The element of the page with that id. @param {string} id */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no ${id}`);
  return found;
}

/** Puts a text in, where it is another one. @param {Element} node @param {string} text */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** As `say`, with what hides or steers made visible. @param {Element} node @param {string} text */
export function sayOfServer(node, text) {
  say(node, visible(text));
}

/** As `sayOfServer`; what stands between backticks is to be typed. @param {Element} node @param {string} text */
export function sayWithCode(node, text) {
  const parts = visible(text).split('`');
  // A backtick that stands alone is one.
  if (parts.length % 2 === 0) say(node, parts.join('`'));
  else if (node.textContent !== parts.join(''))
    node.replaceChildren(...parts.map((part, i) => (i % 2 === 0 ? part : el('code', {}, part))));
}

/** A name that a server gave: apart from the direction of the text around it. @param {string} name */
export function nameOf(name) {
  const made = el('bdi', { class: 'called' }, brief(name));
  if (brief(name) !== name) made.title = visible(name);
  return made;
}

/** @param {Element} node @param {boolean} shown */
export function show(node, shown) {
  node.toggleAttribute('hidden', !shown);
}

/** How far the server's clock is ahead of this one's. */
let ahead = 0;

/** The server's clock says `at` just now. @param {number} at */
export function clockSays(at) {
  ahead = at - Date.now();
}

export function now() {
  return Date.now() + ahead;
}

/** @typedef {'ago' | 'since'} Manner how a time is told: `4 min ago`, or `09:12` */

/** A time that stays right while the page is open. @param {number} then @param {Manner} manner */
export function timeOf(then, manner = 'ago') {
  const made = /** @type {HTMLTimeElement} */ (el('time', { 'data-manner': manner }));
  setTime(made, then);
  return made;
}

/** @param {HTMLTimeElement} node @param {number} then */
export function setTime(node, then) {
  if (node.dataset.at === String(then)) return;
  node.dataset.at = String(then);
  node.dateTime = new Date(then).toISOString();
  node.title = fully(then);
  tell(node);
}

/** Tells every time of the page anew. */
export function tick() {
  for (const node of document.querySelectorAll('time')) tell(node);
}

/** @param {HTMLTimeElement} node */
function tell(node) {
  const then = Number(node.dataset.at);
  say(node, node.dataset.manner === 'since' ? since(then, now()) : ago(then, now()));
}

/**
 * One view an item, known by its key: those that stay are updated in place, so that what is open stays open.
 * @template T
 */
export class Rows {
  /** @type {Map<string, { node: Element, update: (item: T) => void }>} */
  #views = new Map();
  #parent;
  #make;

  /**
   * @param {Element} parent
   * @param {(item: T) => { node: Element, update: (item: T) => void }} make
   */
  constructor(parent, make) {
    this.#parent = parent;
    this.#make = make;
  }

  /** @param {readonly T[]} items @param {(item: T) => string} keyOf */
  update(items, keyOf) {
    const known = this.#views;
    this.#views = new Map();
    let behind = /** @type {Element | null} */ (null);
    for (const item of items) {
      const key = keyOf(item);
      const view = known.get(key) ?? this.#make(item);
      known.delete(key);
      this.#views.set(key, view);
      view.update(item);
      const place = behind === null ? this.#parent.firstElementChild : behind.nextElementSibling;
      if (place !== view.node) this.#parent.insertBefore(view.node, place);
      behind = view.node;
    }
    for (const { node } of known.values()) node.remove();
  }
}
