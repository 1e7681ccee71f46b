/** A point of a scale: what was measured at one size. */
import type { Panel } from '../tools/plot.ts';
import { type Part, type Section, short, type Target, target } from '../tools/results.ts';

export interface Point {
  readonly at: number;
  /** Figures by name, the unit in it: `start, ms`. */
  readonly figures: Readonly<Record<string, number>>;
}

/** Measures at each size, and tells each point as it comes. */
export async function pointsOf(
  name: string,
  sizes: readonly number[],
  point: (at: number) => Promise<Point>,
): Promise<Point[]> {
  const points: Point[] = [];
  for (const at of sizes) {
    const measured = await point(at);
    points.push(measured);
    console.error(`scale, ${name}: ${at}: ${JSON.stringify(measured.figures)}`);
  }
  return points;
}

export interface Scale {
  readonly name: string;
  readonly title: string;
  /** What is counted along the scale. */
  readonly of: string;
  readonly points: readonly Point[];
  /** The figures that may not grow faster than the scale; others are shown only. */
  readonly linear: readonly string[];
  readonly notes: readonly string[];
  /** What is to be reached besides. */
  readonly targets?: readonly Target[];
}

/** One ten times as large costs ten times as much: 1. Measured on a machine that does other things, too: a bit more. */
const LINEAR = 1.15;

/** A scale with its table, its growth and its lines. */
export function part(scale: Scale): Part {
  return {
    name: scale.name,
    sections: [section(scale)],
    targets: [...(scale.targets ?? []), ...growth(scale)],
    drawn: [panel(scale)],
    figures: scale.points,
  };
}

function section({ title, of, points, notes }: Scale): Section {
  const names = Object.keys(points[0]?.figures ?? {});
  return {
    title,
    rows: [
      [of, ...names],
      ...points.map(({ at, figures }) => [
        String(at),
        ...names.map((name) => short(figures[name] ?? Number.NaN)),
      ]),
    ],
    notes,
  };
}

/** The steepest step of each figure: 1 is linear, 0 is no growth. */
function growth({ title, points, linear }: Scale): Target[] {
  return linear.map((name) => {
    const steepest = steepestStep(points, name);
    return target(`${title}: growth of ${name} (1: linear)`, steepest, {
      most: LINEAR,
      why: 'one point only',
    });
  });
}

/** NaN of a single point. */
export function steepestStep(points: readonly Point[], name: string): number {
  const steps = points.slice(1).map((point, i) => {
    const before = points[i];
    const [y1, y2] = [before?.figures[name] ?? 0, point.figures[name] ?? 0];
    if (!before || !(y1 > 0) || !(y2 > 0)) return 0;
    return Math.max(0, Math.log(y2 / y1) / Math.log(point.at / before.at));
  });
  return steps.length > 0 ? Math.max(...steps) : Number.NaN;
}

function panel({ title, of, points, linear }: Scale): Panel {
  return {
    title,
    x: of,
    y: 'dashed: linear growth',
    lines: linear.map((name) => ({
      name,
      points: points.map(({ at, figures }) => [at, figures[name] ?? 0] as const),
    })),
  };
}
