/** All routes: few of them lie open, many of them fold. */
import { el, Rows, say, setTime, show, timeOf } from './dom.js';
import { RouteBody, routeName, stateOf, waitingOf } from './route.js';
import { number } from './words.js';

/** @typedef {import('../../domain/status.ts').RouteStatus} RouteStatus */
/** @typedef {import('../../domain/status.ts').RouteHistory} RouteHistory */
/** @typedef {{ route: RouteStatus, history: RouteHistory | undefined, of: number }} Shown */

/** So many routes lie open. */
const OPEN = 3;

export class RoutesView {
  #parent;
  /** @type {Rows<Shown> | undefined} */
  #rows;
  #folds = false;
  /** @type {readonly RouteStatus[]} */
  #routes = [];
  /** @type {ReadonlyMap<string, RouteHistory>} */
  #histories = new Map();

  /** @param {Element} parent */
  constructor(parent) {
    this.#parent = parent;
  }

  /** @param {readonly RouteStatus[]} routes */
  setRoutes(routes) {
    this.#routes = routes;
    this.#update();
  }

  /** @param {readonly RouteHistory[]} histories */
  setHistories(histories) {
    this.#histories = new Map(histories.map((history) => [history.route, history]));
    this.#update();
  }

  #update() {
    const of = this.#routes.length;
    const folds = of > OPEN;
    if (this.#rows === undefined || folds !== this.#folds) {
      this.#parent.replaceChildren();
      this.#parent.classList.toggle('folding', folds);
      this.#rows = new Rows(this.#parent, (shown) =>
        folds ? new FoldedRoute(shown) : new OpenRoute(shown),
      );
      this.#folds = folds;
    }
    const shown = this.#routes.map((route) => ({
      route,
      history: this.#histories.get(route.route),
      of,
    }));
    this.#rows.update(shown, ({ route: { route } }) => route);
  }
}

class OpenRoute {
  node;
  #body = new RouteBody();

  /** @param {Shown} shown */
  constructor({ route: { route }, of }) {
    this.node = el(
      'section',
      { class: 'route' },
      el('h2', {}, routeName(route, of)),
      this.#body.node,
    );
  }

  /** @param {Shown} shown */
  update({ route, history }) {
    this.#body.update(route, history);
  }
}

/** A line that unfolds; what is inside is made when it is opened first. */
class FoldedRoute {
  node;
  #state = el('span', { class: 'state' });
  #says = el('span');
  #today = el('span', { class: 'today' });
  #last = el('span', { class: 'last' });
  #time = timeOf(0);
  /** @type {RouteBody | undefined} */
  #body;
  #shown;

  /** @param {Shown} shown */
  constructor(shown) {
    this.#shown = shown;
    const { route, of } = { route: shown.route.route, of: shown.of };
    this.#state.append(el('span', { class: 'dot' }), ' ', this.#says);
    this.#last.append(this.#time);
    const summary = el(
      'summary',
      {},
      el('h2', {}, routeName(route, of)),
      this.#state,
      this.#today,
      this.#last,
    );
    const details = /** @type {HTMLDetailsElement} */ (el('details', { class: 'route' }, summary));
    details.addEventListener('toggle', () => {
      if (!details.open) return;
      if (this.#body === undefined) {
        this.#body = new RouteBody();
        details.append(this.#body.node);
      }
      this.update(this.#shown);
    });
    this.node = details;
  }

  /** @param {Shown} shown */
  update(shown) {
    this.#shown = shown;
    const { route, history } = shown;
    const { tone, says } = stateOf(route);
    const waiting = waitingOf(route);
    this.#state.dataset.tone = tone;
    say(this.#says, waiting > 0 ? `${says}, ${number(waiting)} waiting` : says);
    say(this.#today, history === undefined ? '' : `${number(history.today.messages)} today`);
    show(this.#last, route.carriedAt !== undefined);
    if (route.carriedAt !== undefined) setTime(this.#time, route.carriedAt);
    if (this.node.open) this.#body?.update(route, history);
  }
}
