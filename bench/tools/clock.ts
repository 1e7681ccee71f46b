/** One clock for all processes of a bench: CLOCK_MONOTONIC, in milliseconds. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
