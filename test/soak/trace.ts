/** What happened in a round, line by line, and how often what kind of thing did. */
export class Trace {
  readonly lines: string[] = [];
  readonly counts = new Map<string, number>();
  readonly #began = performance.now();

  /** @param kind what is counted in the summary; without one the line is only kept */
  tell(line: string, kind?: string): void {
    const seconds = ((performance.now() - this.#began) / 1000).toFixed(2).padStart(7);
    this.lines.push(`${seconds}  ${line}`);
    if (kind !== undefined) this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }
}
