// npm run demo: two mail servers in one process, mail trickling into the one, imapferry carrying it to the other.
import { ensure, run } from './ensure.mjs';

ensure();
process.exitCode = run('node', ['demo/main.ts', ...process.argv.slice(2)]);
