/** A program of the tests in one file with all that it imports: where it is started hundreds of times, that saves minutes. */
import { basename, join } from 'node:path';
import { rolldown } from 'rolldown';

/** Writes `main` (a path), bundled, into `folder`. Resolves with the path of the one file; its `import.meta.url` is there. */
export async function bundled(main: string, folder: string): Promise<string> {
  const bundle = await rolldown({ input: main, platform: 'node', logLevel: 'silent' });
  const file = join(folder, basename(main).replace(/\.ts$/, '.mjs'));
  try {
    await bundle.write({ file, format: 'esm', codeSplitting: false });
  } finally {
    await bundle.close();
  }
  return file;
}
