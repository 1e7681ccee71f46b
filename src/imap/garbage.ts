/**
 * What comes piece by piece is garbage as soon as it is dealt with, all in all as much as the message is large, and more
 * than once. V8 lets up to 64 MB of such buffers gather before it looks. It is asked to look sooner, at the youngest
 * objects only, which takes a millisecond. No API of Node.js asks for that: the function is V8's own, which a new context
 * shows under `--expose-gc`. Without it all works as well, and takes more memory.
 */
import v8 from 'node:v8';
import vm from 'node:vm';

type Collect = (how: { readonly type: 'minor' }) => void;

/** So much may gather. */
const MOST = 1024 * 1024;

let collect: Collect | undefined;
let gathered = 0;

/** To be called when so many bytes were dealt with, and are of no use any more. */
export function discarded(bytes: number): void {
  gathered += bytes;
  if (gathered < MOST) return;
  gathered = 0;
  collect ??= collector();
  collect({ type: 'minor' });
}

function collector(): Collect {
  try {
    v8.setFlagsFromString('--expose-gc');
    return vm.runInNewContext('gc') as Collect;
  } catch {
    return () => undefined;
  }
}
