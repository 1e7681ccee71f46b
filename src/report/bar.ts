/** One line on a terminal that says how far a sweep has come, redrawn in place and gone at the end. */
import { EVENTS, type EventStream } from '../domain/events.ts';
import { duration, printable, size } from './sentences.ts';

/** How far a route has come. */
export interface Course {
  readonly route: string;
  readonly count: number;
  readonly bytes: number;
  readonly left: number;
  readonly rate: number;
  readonly eta?: number;
}

/** What of a terminal's stream matters here. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface Bar {
  /** Draws this from now on, or nothing. */
  follow(course: (() => Course) | undefined): void;
  /** Takes the line away for good. */
  end(): void;
}

/** Between two drawings, in ms. */
const TURN = 250;
const NARROWEST = 40;
const SHORTEST = 8;
const LONGEST = 24;

/**
 * A bar on a terminal; none where the screen is something else. To be made before the log is begun: each event that may
 * become a line takes it away first, and it comes back at its next turn.
 */
export function drawBar(stream: EventStream, screen: Screen, turn = TURN): Bar | undefined {
  if (screen.isTTY !== true) return undefined;
  let course: (() => Course) | undefined;
  let isDrawn = false;
  const clear = () => {
    if (isDrawn) screen.write('\r\u001b[K');
    isDrawn = false;
  };
  const draw = () => {
    if (course === undefined) return clear();
    screen.write(`\r${barLine(course(), screen.columns)}\u001b[K`);
    isDrawn = true;
  };
  const deafen = stream.subscribe((event) => {
    if (EVENTS[event][0] !== 'debug') clear();
  });
  const timer = setInterval(draw, turn);
  timer.unref();
  return {
    follow(next) {
      course = next;
      if (course === undefined) clear();
    },
    end() {
      clearInterval(timer);
      deafen();
      clear();
    },
  };
}

/** `[######......] 1234 of 5000, 45.2 MB, 3.1 MB/s, 4 min left`, shorter than the terminal is wide, so that it does not wrap. */
export function barLine({ route, count, bytes, left, rate, eta }: Course, columns = 80): string {
  const most = Math.max(NARROWEST, columns || 80) - 1;
  const all = count + left;
  const told = [
    `${count} of ${all}`,
    size(bytes),
    ...(count > 0 && rate > 0 ? [`${size(Math.round(rate))}/s`] : []),
    ...(eta !== undefined && left > 0 ? [`${duration(eta)} left`] : []),
  ];
  const whose = route === 'default' ? '' : `${printable(route).slice(0, 16)}: `;
  // What does not fit is left out from the end: the count is what matters most.
  while (told.length > 1 && whose.length + told.join(', ').length > most) told.pop();
  const text = `${whose}${told.join(', ')}`;
  const room = Math.min(LONGEST, most - text.length - 3);
  if (room < SHORTEST) return text.slice(0, most);
  const done = all === 0 ? 0 : Math.floor((room * count) / all);
  return `[${'#'.repeat(done)}${'.'.repeat(room - done)}] ${text}`;
}
