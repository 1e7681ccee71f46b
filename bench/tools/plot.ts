/** Plots as SVG: bars in groups, or lines on logarithmic axes. */

export interface Bar {
  readonly name: string;
  readonly value: number;
  /** What stands at the bar's end. */
  readonly label: string;
}

/** Bars of one group share a scale. */
export interface BarGroup {
  readonly title: string;
  readonly bars: readonly Bar[];
}

export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** A panel with both axes logarithmic: what grows linearly rises like the dashed line. */
export interface Panel {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly lines: readonly Line[];
}

const COLOURS = ['#1b6ca8', '#c8553d', '#4f8a4c', '#8a6fb0', '#b58900', '#555555'];
const WIDTH = 760;

/** Bars and panels below each other, as the text of an SVG file. */
export function svg(title: string, drawn: readonly (BarGroup | Panel)[]): string {
  const groups = drawn.filter((each) => 'bars' in each);
  const names = [...new Set(groups.flatMap(({ bars }) => bars.map(({ name }) => name)))];
  const parts: string[] = [];
  let y = 40;
  for (const each of drawn) {
    const { text: inner, height } = 'bars' in each ? group(each, names) : panel(each);
    parts.push(`<g transform="translate(0 ${y})">${inner}</g>`);
    y += height;
  }
  return page(title, y, parts);
}

interface Drawn {
  readonly text: string;
  readonly height: number;
}

const LABEL = 170;
const ROW = 20;

/** A name has one colour in all groups. */
function group({ title, bars }: BarGroup, names: readonly string[]): Drawn {
  const parts = [text(12, 16, title, 'font-weight="bold"')];
  const most = Math.max(...bars.map(({ value }) => (Number.isNaN(value) ? 0 : value)), 1e-9);
  let y = 26;
  for (const { name, value, label } of bars) {
    const width = Number.isNaN(value) ? 0 : (Math.max(0, value) / most) * (WIDTH - LABEL - 220);
    const fill = COLOURS[names.indexOf(name) % COLOURS.length];
    parts.push(
      text(LABEL - 8, y + 14, name, 'text-anchor="end"'),
      `<rect x="${LABEL}" y="${y + 3}" width="${width.toFixed(1)}" height="${ROW - 6}" fill="${fill}"/>`,
      text(LABEL + width + 6, y + 14, label),
    );
    y += ROW;
  }
  return { text: parts.join('\n'), height: y + 16 };
}

const PANEL = { width: WIDTH, height: 280, left: 70, right: 200, top: 48, bottom: 44 };

function panel({ title, x, y, lines: series }: Panel): Drawn {
  const points = series.flatMap((line) => line.points).filter(([, value]) => value > 0);
  const [across, up] = [scale(points.map(([at]) => at)), scale(points.map(([, at]) => at))];
  const { left, right, top, bottom, width, height } = PANEL;
  const px = (value: number) => left + across.at(value) * (width - left - right);
  const py = (value: number) => height - bottom - up.at(value) * (height - top - bottom);
  const parts = [text(12, 16, title, 'font-weight="bold"')];
  for (const tick of across.ticks) {
    parts.push(
      rule(px(tick), top, px(tick), height - bottom),
      text(px(tick), height - bottom + 16, ticked(tick), 'text-anchor="middle"'),
    );
  }
  for (const tick of up.ticks) {
    parts.push(
      rule(left, py(tick), width - right, py(tick)),
      text(left - 6, py(tick) + 4, ticked(tick), 'text-anchor="end"'),
    );
  }
  parts.push(
    text((left + width - right) / 2, height - 10, x, 'text-anchor="middle"'),
    text(left, top - 8, y, 'fill="#666"'),
  );
  for (const [i, { name, points: some }] of series.entries()) {
    const colour = COLOURS[i % COLOURS.length];
    const drawn = some.filter(([, value]) => value > 0);
    const path = drawn.map(([at, value]) => `${px(at).toFixed(1)},${py(value).toFixed(1)}`);
    parts.push(
      `<polyline points="${path.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...path.map((point) => {
        const [cx, cy] = point.split(',');
        return `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`;
      }),
      `<rect x="${width - right + 14}" y="${top + i * 20}" width="12" height="12" fill="${colour}"/>`,
      text(width - right + 32, top + 10 + i * 20, name),
    );
    parts.push(linear(drawn, px, py, height - bottom, top));
  }
  return { text: parts.join('\n'), height };
}

/** What the first point would come to, did it grow linearly: dashed, as far as there is room. */
function linear(
  points: readonly (readonly [number, number])[],
  px: (value: number) => number,
  py: (value: number) => number,
  low: number,
  high: number,
): string {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || first === last) return '';
  const [x1, y1] = [px(first[0]), py(first[1])];
  const [x2, y2] = [px(last[0]), py((first[1] * last[0]) / first[0])];
  const part = y2 >= high ? 1 : (y1 - high) / (y1 - y2);
  if (!(part > 0) || y1 > low) return '';
  const [x, y] = [x1 + (x2 - x1) * part, y1 + (y2 - y1) * part];
  return `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x.toFixed(1)}" y2="${y.toFixed(1)}" stroke="#999" stroke-dasharray="4 4"/>`;
}

interface Scale {
  readonly ticks: readonly number[];
  at(value: number): number;
}

/** Whole powers of ten around the values. */
function scale(values: readonly number[]): Scale {
  const logs = values.map((value) => Math.log10(value));
  const low = Math.floor(Math.min(...logs, 0));
  const high = Math.max(Math.ceil(Math.max(...logs, low + 1)), low + 1);
  return {
    ticks: Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i)),
    at: (value) => (Math.log10(value) - low) / (high - low),
  };
}

function ticked(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  if (value >= 1e3) return `${value / 1e3}k`;
  return String(Number(value.toPrecision(1)));
}

function rule(x1: number, y1: number, x2: number, y2: number): string {
  return `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="#ddd"/>`;
}

function text(x: number, y: number, words: string, attributes = ''): string {
  const safe = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${safe}</text>`;
}

function page(title: string, height: number, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<rect width="${WIDTH}" height="${height}" fill="white"/>
${text(12, 24, title, 'font-size="16" font-weight="bold"')}
${parts.join('\n')}
</svg>
`;
}
