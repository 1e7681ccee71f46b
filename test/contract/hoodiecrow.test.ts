import { describe } from 'vitest';
import { destinationContract } from './destination.contract.ts';
import { type Can, hoodiecrow } from './servers.ts';
import { sourceContract } from './source.contract.ts';

const ALL: Can = {
  idle: true,
  uidPlus: true,
  move: true,
  multi: false,
  literalPlus: true,
  expungesMarkedOnly: false,
  readsQuotes: false,
  holdsMissing: false,
  refusesEmpty: false,
};

describe.each([
  { name: 'hoodiecrow', can: ALL, plugins: undefined },
  {
    name: 'hoodiecrow without plugins',
    can: { ...ALL, idle: false, uidPlus: false, move: false, literalPlus: false },
    plugins: ['UNSELECT'],
  },
])('$name', ({ name, can, plugins }) => {
  sourceContract(name, can, () => hoodiecrow(plugins, can));
  destinationContract(name, can, () => hoodiecrow(plugins, can));
});
