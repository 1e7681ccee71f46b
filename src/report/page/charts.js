/** Two small charts of a route's last thirty days, as SVG, each with its words and its table. */
import { date, duration, many, number, size } from './words.js';

/** @typedef {import('../../domain/status.ts').Day} Day */

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 300;
const HEIGHT = 64;
let ids = 0;

/** How many messages each day brought. @param {readonly Day[]} days */
export function messagesChart(days) {
  const most = Math.max(1, ...days.map(({ messages }) => messages));
  const step = WIDTH / Math.max(1, days.length);
  const bars = days.map(({ day, messages, bytes }, i) => {
    const height = messages === 0 ? 1 : Math.max(2.5, (messages / most) * (HEIGHT - 2));
    return shape(
      'rect',
      {
        class: messages === 0 ? 'bar none' : i === days.length - 1 ? 'bar today' : 'bar',
        x: i * step + step * 0.16,
        y: HEIGHT - height,
        width: step * 0.68,
        height,
        rx: messages === 0 ? 0.5 : 1.4,
      },
      titled(`${date(day)}: ${many(messages, 'message')}, ${size(bytes)}`),
    );
  });
  const all = days.reduce((sum, { messages }) => sum + messages, 0);
  const busiest = days.find(({ messages }) => messages === most);
  const says =
    busiest === undefined || all === 0
      ? 'No messages in the last 30 days.'
      : `${many(all, 'message')} in the last 30 days, ${most === all ? 'all' : `${number(most)} of them`} on ${date(busiest.day)}.`;
  return picture('Messages a day', says, bars);
}

/** How long mail took, day by day: half of it, and 95 of 100. @param {readonly Day[]} days */
export function timesChart(days) {
  const timed = days.flatMap((day, i) =>
    day.p50 === undefined ? [] : [{ ...day, i, p50: day.p50, p95: day.p95 ?? day.p50 }],
  );
  const last = timed.at(-1);
  if (last === undefined) return picture('Delivery time', 'No mail has come lately.', []);
  // From a fraction of a second to hours: each step up is ten times as long.
  const low = Math.log10(Math.max(1, Math.min(...timed.map(({ p50 }) => p50)) / 1.6));
  const high = Math.log10(Math.max(10, Math.max(...timed.map(({ p95 }) => p95)) * 1.3));
  /** @param {number} ms */
  const y = (ms) =>
    HEIGHT - ((Math.log10(Math.max(1, ms)) - low) / Math.max(0.1, high - low)) * HEIGHT;
  const step = WIDTH / Math.max(1, days.length);
  /** @param {number} i */
  const x = (i) => (i + 0.5) * step;
  const runs = together(timed);
  const shapes = runs.flatMap((run) => {
    const upper = run.map(({ i, p95 }) => `${x(i).toFixed(1)} ${y(p95).toFixed(1)}`);
    const lower = run.map(({ i, p50 }) => `${x(i).toFixed(1)} ${y(p50).toFixed(1)}`);
    const band = [...upper, ...lower.toReversed()];
    return [
      shape('path', { class: 'band', d: `M${band.join('L')}Z` }),
      shape('path', { class: 'p95', d: `M${upper.join('L')}` }),
      shape('path', { class: 'p50', d: `M${lower.join('L')}` }),
    ];
  });
  const dots = [
    shape('circle', { class: 'dot p50', cx: x(last.i), cy: y(last.p50), r: 2.6 }),
    shape('circle', { class: 'dot p95', cx: x(last.i), cy: y(last.p95), r: 2 }),
  ];
  const when = last.i === days.length - 1 ? 'Today' : `On ${date(last.day)}`;
  const says = `${when} half of the mail was over within ${duration(last.p50)}, 95 of 100 within ${duration(last.p95)}.`;
  return picture('Delivery time', says, [...shapes, ...dots]);
}

/** Days that follow each other: a day without mail parts them. @template {{ i: number }} T @param {T[]} timed */
function together(timed) {
  /** @type {T[][]} */
  const runs = [];
  for (const day of timed) {
    const run = runs.at(-1);
    if (run !== undefined && run.at(-1)?.i === day.i - 1) run.push(day);
    else runs.push([day]);
  }
  return runs;
}

/**
 * @param {string} title
 * @param {string} says
 * @param {readonly SVGElement[]} shapes
 */
function picture(title, says, shapes) {
  const id = `chart-${++ids}`;
  const name = titled(title);
  name.id = `${id}-title`;
  const words = shape('desc', { id: `${id}-says` });
  words.textContent = says;
  const svg = shape(
    'svg',
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: 'img',
      'aria-labelledby': `${id}-title`,
      'aria-describedby': `${id}-says`,
    },
    name,
    words,
    shape('path', { class: 'ground', d: `M0 ${HEIGHT - 0.5}H${WIDTH}` }),
    ...shapes,
  );
  return { svg, says };
}

/**
 * @param {string} tag
 * @param {Readonly<Record<string, string | number>>} attributes
 * @param {readonly SVGElement[]} children
 * @returns {SVGElement}
 */
function shape(tag, attributes, ...children) {
  const made = /** @type {SVGElement} */ (document.createElementNS(SVG, tag));
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** @param {string} text */
function titled(text) {
  const title = shape('title', {});
  title.textContent = text;
  return title;
}
