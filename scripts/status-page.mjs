// node scripts/status-page.mjs: takes docs/status-page.png, the picture of the status page in the README, anew.
import { ensure, run } from './ensure.mjs';
import { mailServers } from './mail-servers.mjs';

ensure();
mailServers();
process.exitCode = run('node', ['demo/status-page.ts']);
