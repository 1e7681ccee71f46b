// npm test: installs what is missing, checks format, lint and types, and runs every test.
import { ensure, run } from './ensure.mjs';
import { mailServers, welcomed } from './mail-servers.mjs';

ensure();
mailServers();
welcomed();
const checked = run('npm', ['run', '--silent', 'check']);
const tested = run('vitest', ['run', ...process.argv.slice(2)]);
process.exitCode = checked || tested;
