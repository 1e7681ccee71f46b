// node scripts/check-example.mjs: installs what is missing, then shows `imapferry check` between two Dovecots, as the README has it.
import { ensure, run } from './ensure.mjs';
import { mailServers } from './mail-servers.mjs';

ensure();
mailServers();
process.exitCode = run('node', ['demo/check-example.ts']);
