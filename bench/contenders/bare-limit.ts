/** The bare limit as a contender. */
import { fileURLToPath } from 'node:url';
import type { Contender, Side } from './contender.ts';
import type { Task } from './limit/drain.ts';

const PROGRAM = fileURLToPath(new URL('limit/main.ts', import.meta.url));

export const bareLimit: Contender = {
  name: 'bare limit',
  does: 'copies, checks nothing, removes at the end',
  command: ({ source, destination, appending, concurrency }) => {
    const task: Task = {
      source: login(source),
      destination: login(destination),
      appending,
      connections: appending === 'synchronising' ? concurrency : 1,
    };
    return { file: process.execPath, args: [PROGRAM, JSON.stringify(task)] };
  },
};

function login({ door, user, password }: Side): Task['source'] {
  return { port: door.port, ca: door.ca, user, password };
}
