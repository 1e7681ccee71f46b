/** What is drawn when not everything is tried: it rotates by day, and SEED says it. */
export const SEED = Number(process.env.SEED ?? Math.floor(Date.now() / 86_400_000));

/** Everything is tried: `npm run test:full`. */
export const FULL = process.env.FULL === '1';
