import { describe } from 'vitest';
import { destinationContract } from './destination.contract.ts';
import { HOODIECROW, hoodiecrow } from './servers.ts';
import { sourceContract } from './source.contract.ts';

describe.each([
  { name: 'hoodiecrow', can: HOODIECROW, plugins: undefined },
  {
    name: 'hoodiecrow without plugins',
    can: { ...HOODIECROW, idle: false, uidPlus: false, move: false, literalPlus: false },
    plugins: ['UNSELECT'],
  },
])('$name', ({ name, can, plugins }) => {
  sourceContract(name, can, () => hoodiecrow(plugins, can));
  destinationContract(name, can, () => hoodiecrow(plugins, can));
});
