// npm run demo: two mail servers in one process, mail trickling into the one, imapferry carrying it to the other.
import { ensure, run } from './ensure.mjs';

ensure();
// Ctrl-C goes to every process of the terminal. The demo answers it with a summary; this one waits for that.
process.on('SIGINT', () => {});
process.exitCode = run('node', ['demo/main.ts', ...process.argv.slice(2)]);
