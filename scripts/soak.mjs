// npm run soak: installs what is missing, then mail flows between two mail servers while everything breaks that can.
import { ensure, run } from './ensure.mjs';
import { mailServers } from './mail-servers.mjs';

ensure();
mailServers();
process.exitCode = run('node', ['test/soak/main.ts', ...process.argv.slice(2)]);
