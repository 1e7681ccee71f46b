/** What came of each point that a test tried, as JSON lines: docs/reliability.md is made from them. */
import { appendFileSync } from 'node:fs';

export interface Result {
  /** The part of the guarantee: `killed`, `cut`, `refused`, `lied to`. */
  readonly part: string;
  /** What was tried, as the test's name says it. */
  readonly point: string;
  /** What came of it, in a few words that many rows share: `each message once`. */
  readonly outcome: string;
}

/** Adds a line to the file that RELIABILITY_RESULTS names; without it, nothing is kept. */
export function record(result: Result): void {
  const file = process.env.RELIABILITY_RESULTS;
  if (file) appendFileSync(file, `${JSON.stringify(result)}\n`);
}
