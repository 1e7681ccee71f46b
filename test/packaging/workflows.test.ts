/** The workflows: what they build, for whom, and what each may do. That they run is seen only where they run. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const ROOT = new URL('../../', import.meta.url);
const FOLDER = new URL('.github/workflows/', ROOT);

interface Job {
  readonly needs?: string;
  readonly uses?: string;
  readonly permissions?: Record<string, string>;
  readonly 'timeout-minutes'?: number;
  readonly steps?: readonly {
    readonly uses?: string;
    readonly run?: string;
    readonly with?: Record<string, unknown>;
  }[];
}

interface Workflow {
  readonly on: Record<string, unknown>;
  readonly permissions: Record<string, string>;
  readonly jobs: Record<string, Job>;
}

const read = (name: string) => parse(readFileSync(new URL(name, FOLDER), 'utf8')) as Workflow;
const all = readdirSync(FOLDER).map((name) => [name, read(name)] as const);
const jobOf = ({ jobs }: Workflow, name: string) => {
  const job = jobs[name];
  if (job === undefined) throw new Error(`no job ${name}`);
  return job;
};
const runs = ({ steps = [] }: Job) => steps.map(({ run = '' }) => run).join('\n');
const withOf = ({ steps = [] }: Job, action: string) =>
  steps.filter(({ uses }) => uses?.startsWith(`${action}@`)).map((step) => step.with ?? {});

describe.each(all)('%s', (_, { permissions, jobs }) => {
  test('lets no job write anything that it does not name', () => {
    for (const right of Object.values(permissions)) expect(right).toBe('read');
  });

  test('uses actions of a version, and no job runs for hours', () => {
    for (const [name, job] of Object.entries(jobs)) {
      if (job.uses === undefined) expect(job['timeout-minutes'], name).toBeLessThanOrEqual(90);
      else expect(existsSync(fileURLToPath(new URL(job.uses, ROOT)))).toBe(true);
      for (const { uses } of job.steps ?? [])
        if (uses !== undefined) expect(uses).toMatch(/^(actions|docker)\/[\w-]+@v\d+(\.\d+)*$/);
    }
  });

  test('gives the token of this repository to no command', () => {
    for (const job of Object.values(jobs)) {
      for (const checkout of withOf(job, 'actions/checkout'))
        expect(checkout).toEqual({ 'persist-credentials': false });
      expect(runs(job)).not.toContain('secrets.');
    }
  });
});

describe('what tests', () => {
  const tests = read('test.yml');

  test('runs on each push and pull request, all that npm test does', () => {
    expect(Object.keys(tests.on)).toEqual(['push', 'pull_request', 'workflow_call']);
    expect(runs(jobOf(tests, 'test'))).toBe('\n.ci/run');
  });

  test('builds the image for both processors, and tries it closed up', () => {
    const image = jobOf(tests, 'image');
    expect(withOf(image, 'docker/build-push-action').map((each) => each.platforms)).toEqual([
      undefined,
      'linux/amd64,linux/arm64',
    ]);
    expect(runs(image)).toContain('--read-only');
  });
});

describe('what publishes', () => {
  const publishes = read('publish.yml');

  test('does so for tags only, and after the tests', () => {
    expect(publishes.on).toEqual({ push: { tags: ['v*'] } });
    expect(publishes.permissions).toEqual({});
    expect(jobOf(publishes, 'test').uses).toBe('./.github/workflows/test.yml');
    for (const name of ['npm', 'image']) expect(jobOf(publishes, name).needs).toBe('test');
  });

  test('may do what each job needs, and no more', () => {
    expect(
      Object.fromEntries(
        Object.entries(publishes.jobs).map(([name, { permissions }]) => [name, permissions]),
      ),
    ).toEqual({
      test: { contents: 'read' },
      npm: { contents: 'read', 'id-token': 'write' },
      image: { contents: 'read', packages: 'write' },
    });
  });

  test('sends the package with its provenance, of the version that the tag says', () => {
    const commands = runs(jobOf(publishes, 'npm'));
    expect(commands).toContain('npm publish --provenance');
    expect(commands).toContain('"$GITHUB_REF_NAME" = "v$(node -p');
    expect(commands).toMatch(/npm prune --omit=dev .*\nnpm pkg delete devDependencies\nnpm sbom /);
  });

  test('sends the image for both processors, with what it consists of and where it was built', () => {
    const [build] = withOf(jobOf(publishes, 'image'), 'docker/build-push-action');
    expect(build).toMatchObject({
      platforms: 'linux/amd64,linux/arm64',
      push: true,
      sbom: true,
      provenance: 'mode=max',
    });
    const [meta] = withOf(jobOf(publishes, 'image'), 'docker/metadata-action');
    expect(meta?.images).toMatch(/^ghcr\.io\/\$\{\{ github\.repository \}\}$/);
  });
});
