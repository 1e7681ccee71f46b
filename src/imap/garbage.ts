/**
 * What comes piece by piece over the wire is put together of many small buffers, all in all as much as the message is
 * large. These are garbage as soon as a piece is whole, and lie outside of V8's heap: V8 lets 64 MB of them gather before
 * it looks. It is asked to look sooner. No API of Node.js does that: the function is V8's own, which a new context shows
 * under `--expose-gc`. Without it all works as well, and takes more memory.
 */
import v8 from 'node:v8';
import vm from 'node:vm';
import { release } from '../domain/content.ts';

type Collect = (how: { readonly type: 'major' }) => void;

/** So much may gather. To look takes some 20 ms. */
const MOST = 16 * 1024 * 1024;

let collect: Collect | undefined;
let gathered = 0;

/** To be called with a piece that came, and that nobody needs any more. */
export function discard(piece: Buffer): void {
  gathered += piece.length;
  release(piece);
  if (gathered < MOST) return;
  gathered = 0;
  collect ??= collector();
  collect({ type: 'major' });
}

function collector(): Collect {
  try {
    v8.setFlagsFromString('--expose-gc');
    return vm.runInNewContext('gc') as Collect;
  } catch {
    return () => undefined;
  }
}
