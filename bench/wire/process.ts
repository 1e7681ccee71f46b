/** The process in which the wires of a bench live; it does what its parent asks, and ends with it. */
import type { Notes } from './trace.ts';
import { Wire, type WireSettings } from './wire.ts';

export type Asked =
  | { readonly ask: 'open'; readonly settings: WireSettings }
  | { readonly ask: 'take' | 'close'; readonly port: number }
  | { readonly ask: 'cpu' };

export type Answer = { readonly port?: number; readonly notes?: Notes; readonly cpu?: number };

const wires = new Map<number, Wire>();

async function answer(asked: Asked): Promise<Answer> {
  if (asked.ask === 'open') {
    const wire = await Wire.open(asked.settings);
    wires.set(wire.port, wire);
    return { port: wire.port };
  }
  if (asked.ask === 'cpu') {
    const { user, system } = process.cpuUsage();
    return { cpu: (user + system) / 1000 };
  }
  const wire = wires.get(asked.port);
  if (asked.ask === 'take') return wire ? { notes: wire.take() } : {};
  wire?.close();
  wires.delete(asked.port);
  return {};
}

process.on('message', ({ id, asked }: { id: number; asked: Asked }) => {
  void answer(asked).then((told) => process.send?.({ id, told }));
});
process.on('disconnect', () => process.exit());
