/** The manifests in docs/examples: their settings are settings, and what they mount is what the settings name. */
import { readFileSync } from 'node:fs';
import { parse as parseEnv } from 'dotenv';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { folderWith, load } from './support.ts';

const read = (name: string) =>
  readFileSync(new URL(`../../docs/examples/${name}`, import.meta.url), 'utf8');

interface Manifest {
  readonly kind: string;
  readonly data: Record<string, string>;
  readonly spec: {
    readonly replicas: number;
    readonly template: {
      readonly spec: { containers: { args: string[]; volumeMounts: { mountPath: string }[] }[] };
    };
  };
}

const manifests = parseAllDocuments(read('kubernetes.yaml')).map(
  (document) => document.toJS() as Manifest,
);
const of = (kind: string) => {
  const found = manifests.find((each) => each.kind === kind);
  if (found === undefined) throw new Error(`no ${kind}`);
  return found;
};

test('each replica has settings that can be used, and no route is in two of them', () => {
  const { data } = of('ConfigMap');
  const pathOf = folderWith({ secret: 'one' });
  const names = Object.values(data).flatMap((text) => {
    const settings = Object.entries(parseEnv(text)).map(([name, value]) => [
      name,
      name.endsWith('_FILE') ? pathOf('secret') : value,
    ]);
    const unset = { SOURCE_USER: undefined, SOURCE_PASSWORD: undefined, DEST_PASSWORD: undefined };
    return load({ ...unset, ...Object.fromEntries(settings) }).routes.map(({ name }) => name);
  });
  expect(names).toEqual(['mum', 'dad']);
  const { replicas } = of('StatefulSet').spec;
  expect(Object.keys(data)).toEqual(Array.from({ length: replicas }, (_, i) => `${i}.env`));
});

test('the replica reads its settings and passwords from where they are mounted', () => {
  const [container] = of('StatefulSet').spec.template.spec.containers;
  const paths = container?.volumeMounts.map(({ mountPath }) => mountPath) ?? [];
  expect(paths).toContain('/etc/imapferry');
  expect(container?.args).toEqual(['run', '--env-file', '/etc/imapferry/$(REPLICA).env']);
  const files = Object.values(of('ConfigMap').data).flatMap((text) =>
    Object.entries(parseEnv(text)).flatMap(([name, value]) =>
      name.endsWith('_FILE') ? value : [],
    ),
  );
  for (const file of files) expect(paths).toContain(file.slice(0, file.lastIndexOf('/')));
});

test('each household has a journal of its own', () => {
  const { services, volumes } = parse(read('households.compose.yaml'), { merge: true }) as {
    services: Record<string, { image: string; volumes: string[]; read_only: boolean }>;
    volumes: Record<string, null>;
  };
  const journals = Object.values(services).flatMap(({ volumes: mounted }) =>
    mounted.filter((each) => each.endsWith(':/data')).map((each) => each.split(':')[0] ?? ''),
  );
  expect(new Set(journals)).toEqual(new Set(Object.keys(volumes)));
  expect(journals).toHaveLength(Object.keys(services).length);
  for (const { image, read_only } of Object.values(services))
    expect([image, read_only]).toEqual(['imapferry', true]);
});
