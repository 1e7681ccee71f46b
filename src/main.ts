#!/usr/bin/env -S node --max-semi-space-size=1 --no-incremental-marking --
/** Command line in, exit code out. Each command loads only what it needs: `health` is started every half minute. */
import { parseArgs } from 'node:util';

const HELP = `imapferry carries mail from one IMAP account to another as it arrives,
and removes an original only after its copy was read back and found the same.

  imapferry run      watch every source folder for ever and forward what arrives (the default)
  imapferry sweep    forward all that is there now, print a summary, exit
  imapferry check    say what would go where, and change nothing; --json for programs
  imapferry health   is the running imapferry of this STATE_DIR moving mail?
  imapferry stuck    what could not be carried, and why; --retry has it tried again now
  imapferry senders  who still writes to the old mailbox; --json for programs
  imapferry from-imapsync -- imapsync --host1 …
                     the settings that do what this line of imapsync does (or a file with such a line)

  --dry-run          with run and sweep: say what would become of each message, change nothing
  --env-file FILE    read settings from FILE in place of .env (repeatable; earlier files win)
  --help, --version

Settings come from the environment or from .env; see .env.example.`;

interface Invocation {
  readonly command: string;
  readonly envFiles: readonly string[];
  readonly retry: boolean;
  readonly json: boolean;
  readonly dryRun: boolean;
}

/** Runs the command line and resolves with the exit code. */
async function main(args: string[]): Promise<number> {
  if (args[0] === 'from-imapsync' && args[1] !== '--help') {
    const { fromImapsync } = await import('./commands/from-imapsync.ts');
    return fromImapsync(args.slice(args[1] === '--' ? 2 : 1), { print: say, tell });
  }
  const invocation = await understand(args);
  if (typeof invocation === 'number') return invocation;
  if (invocation.retry && invocation.command !== 'stuck') {
    complain(`--retry belongs to "stuck", not to "${invocation.command}".`);
    return 2;
  }
  if (invocation.json && !['check', 'senders'].includes(invocation.command)) {
    complain(`--json belongs to "check" and "senders", not to "${invocation.command}".`);
    return 2;
  }
  if (invocation.dryRun && !['run', 'sweep'].includes(invocation.command)) {
    complain(`--dry-run belongs to "run" and "sweep", not to "${invocation.command}".`);
    return 2;
  }
  switch (invocation.command) {
    case 'run':
    case 'sweep': {
      const { forward } = await import('./commands/forward.ts');
      return forward(invocation.command, invocation.envFiles, invocation);
    }
    case 'check': {
      const { check } = await import('./commands/check.ts');
      return check(invocation.envFiles, { json: invocation.json, print: say });
    }
    case 'health': {
      const { health } = await import('./commands/health.ts');
      return health(await stateDirOf(invocation), say);
    }
    case 'stuck': {
      const { stuck } = await import('./commands/stuck.ts');
      return stuck(await stateDirOf(invocation), { retry: invocation.retry, print: say });
    }
    case 'senders': {
      const { senders } = await import('./commands/senders.ts');
      return senders(await stateDirOf(invocation), { json: invocation.json, print: say });
    }
    default:
      complain(`There is no command "${invocation.command}".`);
      return 2;
  }
}

async function stateDirOf({ envFiles }: Invocation): Promise<string> {
  const { stateDir } = await import('./config/state-dir.ts');
  return stateDir(envFiles);
}

/** What was typed, or the exit code where that is all there is to it. */
async function understand(args: string[]): Promise<Invocation | number> {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        'env-file': { type: 'string', multiple: true },
        retry: { type: 'boolean' },
        json: { type: 'boolean' },
        'dry-run': { type: 'boolean' },
        help: { type: 'boolean' },
        version: { type: 'boolean' },
      },
    });
    if (values.help) {
      say(HELP);
      return 0;
    }
    if (values.version) {
      const { version } = await import('./commands/version.ts');
      say(version());
      return 0;
    }
    if (positionals.length > 1) {
      complain(`One command at a time, not ${positionals.length}: ${positionals.join(' ')}.`);
      return 2;
    }
    return {
      command: positionals[0] ?? 'run',
      envFiles: values['env-file'] ?? [],
      retry: values.retry ?? false,
      json: values.json ?? false,
      dryRun: values['dry-run'] ?? false,
    };
  } catch (thrown) {
    complain(thrown instanceof Error ? thrown.message : String(thrown));
    return 2;
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

function complain(why: string): void {
  process.stderr.write(`imapferry: ${why}\nimapferry --help tells what there is.\n`);
}

/** A setting that can't be used is told in its own words; anything else is a mistake of ours. */
async function ended(args: string[]): Promise<number> {
  try {
    return await main(args);
  } catch (thrown) {
    if (!(thrown instanceof Error) || thrown.name !== 'ConfigError') throw thrown;
    process.stderr.write(`${thrown.message}\n`);
    return 2;
  }
}

// Behind `--` Node.js leaves `--env-file` to us, wherever it stands.
process.exit(await ended(process.argv.slice(2)));
