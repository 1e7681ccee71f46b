import { describe, expect, test } from 'vitest';
import { argumentsIn, linesIn } from '../../src/from-imapsync/find.ts';

/** The arguments of each line, `?NAME` for what is not known. */
function found(text: string): string[][] {
  return linesIn(text).map((line) =>
    line.map(({ text, unknown }) => [text, ...unknown.map((name) => `?${name}`)].join('')),
  );
}

describe('a shell script', () => {
  test.each([
    ['imapsync --host1 a --user1 b', [['--host1', 'a', '--user1', 'b']]],
    ['/usr/local/bin/imapsync \\\n  --host1 a \\\n  --dry', [['--host1', 'a', '--dry']]],
    ['#!/bin/sh\n# imapsync --host1 no\nimapsync --host1 a # b', [['--host1', 'a']]],
    [
      `imapsync --host1 'a b' --user1 "c \\"d\\"" --x 'e'"f"g`,
      [['--host1', 'a b', '--user1', 'c "d"', '--x', 'efg']],
    ],
    [
      `H=a.example\nimapsync --host1 "$H" --user1 \${H}x`,
      [['--host1', 'a.example', '--user1', 'a.examplex']],
    ],
    ['export H=a; A=$H.b; imapsync --host1 $A', [['--host1', 'a.b']]],
    ['O="--ssl1 --ssl2"\nimapsync $O --host1 a', [['--ssl1', '--ssl2', '--host1', 'a']]],
    ['imapsync --host1 $H $O "$@"', [['--host1', '?$H', '?$O', '?$@']]],
    [
      `imapsync --host1 \${H:-secret} --user1 $(cat x) --folder \`y\``,
      [
        [
          '--host1',
          `?\${H…}`,
          '--user1',
          '?what a command prints',
          '--folder',
          '?what a command prints',
        ],
      ],
    ],
    [
      'imapsync --passfile1 <(echo "a ) b") --host1 a',
      [['--passfile1', '?what a command prints', '--host1', 'a']],
    ],
    [
      `o=(--host1 a # c\n  --user1 "b c")\no+=(--dry)\nimapsync "\${o[@]}"`,
      [['--host1', 'a', '--user1', 'b c', '--dry']],
    ],
    [
      "while IFS=';' read u p; do\n imapsync --user1 $u@x --host1 a\ndone < f",
      [['--user1', '@x?$u', '--host1', 'a']],
    ],
    ['for u in a b; do imapsync --user1 $u --host1 h; done', [['--user1', '?$u', '--host1', 'h']]],
    ['U=a\nU=b\nimapsync --user1 $U --host1 h', [['--user1', '?$U', '--host1', 'h']]],
    ['imapsync --host1 a >> /var/log/x 2>&1 || exit 1', [['--host1', 'a']]],
    [
      'imapsync --host1 a && imapsync --host1 b',
      [
        ['--host1', 'a'],
        ['--host1', 'b'],
      ],
    ],
    ['if ! timeout 10 imapsync --host1 a; then exit; fi', [['--host1', 'a']]],
    [
      'docker run --rm --name imapsync -v /s:/s gilleslamiral/imapsync:latest imapsync --host1 a',
      [['--host1', 'a']],
    ],
    ['docker run -ti webinventions/imapsync --host1 a', [['--host1', 'a']]],
    ['ssh box "imapsync --host1 a --user1 \'b c\'"', [['--host1', 'a', '--user1', 'b c']]],
    ['flock -n /tmp/l -c "imapsync --host1 $H"', [['--host1', '?$H']]],
    ['perl ./imapsync.pl --host1 a', [['--host1', 'a']]],
    ['cat <<EOF\nimapsync --host1 no\nEOF\nimapsync --host1 a', [['--host1', 'a']]],
    ['*/10 * * * * mail /usr/bin/imapsync --host1 a --delete1', [['--host1', 'a', '--delete1']]],
    ['IMAPSYNC_PASSWORD1=hush imapsync --host1 a', [['--host1', 'a']]],
    ['A=$A\nimapsync --host1 $A', [['--host1', '?$A']]],
    ['echo imapsync --host1 a; which imapsync; apt-get install -y imapsync', []],
    ['ls -l', []],
    ["imapsync --host1 'open", [['--host1', 'open']]],
  ] as [string, string[][]][])('%s', (text, lines) => {
    expect(found(text)).toEqual(lines);
  });
});

describe('a systemd unit', () => {
  test.each([
    ['[Service]\nExecStart=/usr/bin/imapsync --host1 a --dry', [['--host1', 'a', '--dry']]],
    [
      'ExecStart=-/usr/bin/imapsync \\\n  --host1 a \\\n# a comment\n  --user1 "b c"',
      [['--host1', 'a', '--user1', 'b c']],
    ],
    [
      `Environment=H=a "U=b c"\nExecStart=imapsync --host1 $H --user1 \${U}`,
      [['--host1', 'a', '--user1', 'b c']],
    ],
    [
      `EnvironmentFile=/etc/x\nExecStart=imapsync --host1 \${H} --user1 %i`,
      [['--host1', '?$H', '--user1', '?%i']],
    ],
    [
      'ExecStart=/bin/sh -c "imapsync --host1 a --user1 \'$$U\'"',
      [['--host1', 'a', '--user1', '$U']],
    ],
    [`ExecStart=/bin/sh -c 'imapsync --host1 \${H} >/dev/null'`, [['--host1', '?$H']]],
    ['ExecStart=imapsync --host1 a --password1 50%%', [['--host1', 'a', '--password1', '50%']]],
    [
      'ExecStartPre=imapsync --host1 a --justlogin\nExecStart=imapsync --host1 b',
      [
        ['--host1', 'a', '--justlogin'],
        ['--host1', 'b'],
      ],
    ],
    ['ExecStart=/usr/bin/true', []],
  ] as [string, string[][]][])('%s', (text, lines) => {
    expect(found(text)).toEqual(lines);
  });
});

describe('a compose file', () => {
  test.each([
    [
      'services:\n  x:\n    image: gilleslamiral/imapsync\n    command: imapsync --host1 a --dry',
      [['--host1', 'a', '--dry']],
    ],
    [
      'services:\n  x:\n    image: webinventions/imapsync:1.8 # c\n    command: --host1 a',
      [['--host1', 'a']],
    ],
    [
      'services:\n  x:\n    image: i\n    command:\n      - imapsync\n      - --host1\n      - "a b" # c\n      - --user1\n      - it\'s\n    restart: always',
      [['--host1', 'a b', '--user1', "it's"]],
    ],
    [
      'services:\n  x:\n    command: ["imapsync", "--host1", \'a, b\', --dry]',
      [['--host1', 'a, b', '--dry']],
    ],
    [
      'services:\n  x:\n    command: [\n      "imapsync", "--host1",\n      "a"\n    ]\n',
      [['--host1', 'a']],
    ],
    [
      'services:\n  x:\n    command: >-\n      imapsync --host1 a\n      --user1 "b c"\n    volumes: [x]',
      [['--host1', 'a', '--user1', 'b c']],
    ],
    [
      'services:\n  x:\n    command: |\n      imapsync \\\n        --host1 a \\\n        --dry',
      [['--host1', 'a', '--dry']],
    ],
    [
      `services:\n  x:\n    entrypoint: imapsync\n    command: --host1 \${H} --user1 \${U:-hush}`,
      [['--host1', '?$H', '--user1', `?\${U…}`]],
    ],
    [
      'services:\n  x:\n    command: sh -c "while true; do imapsync --host1 a --dry; sleep 600; done"',
      [['--host1', 'a', '--dry']],
    ],
    [
      'services:\n  x:\n    command: ["sh", "-c", "imapsync --host1 a && sleep 600"]',
      [['--host1', 'a']],
    ],
    [
      'services:\n  x:\n    image: a/imapsync\n    command: --host1 a\n  y:\n    image: a/imapsync\n    command: --host1 b',
      [
        ['--host1', 'a'],
        ['--host1', 'b'],
      ],
    ],
    ['services:\n  x:\n    image: gilleslamiral/imapsync\n    command: /servimapsync', []],
  ] as [string, string[][]][])('%s', (text, lines) => {
    expect(found(text)).toEqual(lines);
  });
});

test.each([
  ['imapsync --host1 a', ['--host1', 'a']],
  ['/opt/imapsync/imapsync -host1 a', ['-host1', 'a']],
  [
    'docker run --name imapsync gilleslamiral/imapsync imapsync --user1 imapsync',
    ['--user1', 'imapsync'],
  ],
  ['--host1 a', ['--host1', 'a']],
  ['mbsync -a', undefined],
])('words as typed: %s', (line, args) => {
  const words = line.split(' ').map((text) => ({ text, unknown: [] }));
  expect(argumentsIn(words)?.map(({ text }) => text)).toEqual(args);
});
