// npm run bench: installs what is missing, compiles imapferry, then measures it beside others.
import { ensure, run } from './ensure.mjs';
import { BENCH_PACKAGES, mailServers } from './mail-servers.mjs';

ensure();
mailServers(BENCH_PACKAGES);
const built = run('npm', ['run', '--silent', 'build']);
process.exitCode = built || run('node', ['bench/main.ts', ...process.argv.slice(2)]);
