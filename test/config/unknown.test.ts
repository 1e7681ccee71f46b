import { describe, expect, test } from 'vitest';
import { VARIABLES } from '../../src/config/variables.ts';
import { folderWith, load, mistakesOf } from './support.ts';

const fileWith = (name: string) => folderWith({ '.env': `${name}=x\n` })('.env');
const meant = (name: string, known: string) =>
  `${name} is no variable of imapferry; probably ${known} was meant`;

describe('a mistyped name is noticed wherever it is set', () => {
  test.each([
    ['SOURCE_HSOT', 'SOURCE_HOST'],
    ['SOURCE_PASWORD', 'SOURCE_PASSWORD'],
    ['SOURCE_PASSWD', 'SOURCE_PASSWORD'],
    ['SOURCE_PASSWORD_FIEL', 'SOURCE_PASSWORD_FILE'],
    ['SOURCE_PASSWROD_CMD', undefined],
    ['DEST_USERNAME', 'DEST_USER'],
    ['DEST_SERVER', 'DEST_HOST'],
    ['DEST_TSL', 'DEST_TLS'],
    ['DEST_SSL', 'DEST_TLS'],
    ['SOURCE_TLS_FINGERPRINTS', 'SOURCE_TLS_FINGERPRINT'],
    ['SWEEP_INTERVALL', 'SWEEP_INTERVAL'],
    ['SWEEPINTERVAL', 'SWEEP_INTERVAL'],
    ['AFTER_DELIVERYS', 'AFTER_DELIVERY'],
    ['MAX_MESAGE_SIZE', 'MAX_MESSAGE_SIZE'],
    ['CONCURENCY', 'CONCURRENCY'],
    ['SORUCE_PASSWORD', 'SOURCE_PASSWORD'],
  ])('%s', (name, known) => {
    const said = known === undefined ? [] : [meant(name, known)];
    if (known === undefined) load({ [name]: 'x' });
    else expect(mistakesOf({ [name]: 'x' })).toEqual(said);
    const inFile = known === undefined ? `${name} is no variable of imapferry` : meant(name, known);
    expect(mistakesOf({}, [fileWith(name)])).toEqual([inFile]);
  });
});

describe('in a .env file much looks alike', () => {
  test.each([
    ['source_host', 'SOURCE_HOST'],
    ['Dest-Host', 'DEST_HOST'],
    ['DESTINATION_HOST', 'DEST_HOST'],
    ['SRC_PORT', 'SOURCE_PORT'],
    ['FOLDER', 'FOLDERS'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['STATEDIR', 'STATE_DIR'],
    ['VERIFI', 'VERIFY'],
    ['SWEEP_INTERVAL_SECONDS', 'SWEEP_INTERVAL'],
    ['IDLE_RENEWAL', 'IDLE_RENEW'],
  ])('%s', (name, known) => {
    expect(mistakesOf({}, [fileWith(name)])).toEqual([meant(name, known)]);
    expect(load({ [name]: 'x' }).doubts).toEqual([]);
  });

  test('a name that is like none of ours, but for its beginning, is a mistake', () => {
    expect(mistakesOf({}, [fileWith('SOURCE_COLOUR')])).toEqual([
      'SOURCE_COLOUR is no variable of imapferry',
    ]);
  });

  test('a route in front of a name wants a route of that name', () => {
    expect(mistakesOf({}, [fileWith('MUM_SOURCE_HOST')])).toEqual([
      'MUM_SOURCE_HOST is no variable of imapferry: ROUTES names no route mum',
    ]);
  });

  test.each([
    'TZ',
    'PUID',
    'COMPOSE_PROJECT_NAME',
    'SMTP_PASSWORD',
    'FTP_PASSWORD',
    'HTTP_PROXY',
    'TEST_HOST',
    'REST_PORT',
    'MYSQL_USER',
    'NODE_ENV',
    'LOG_FILE',
    'STATE',
  ])('%s is left to whoever it belongs to', (name) => {
    expect(load({}, [fileWith(name)]).doubts).toEqual([]);
  });
});

test('what other programs keep in the environment is no mistake', () => {
  const others =
    'PATH HOME HOSTNAME HOST USER LOGNAME SHELL PWD TERM LANG LC_ALL TZ HTTP_PROXY HTTPS_PROXY http_proxy NO_PROXY ALL_PROXY NODE_OPTIONS NODE_ENV NODE_VERSION npm_config_loglevel npm_package_name npm_lifecycle_event INIT_CWD EDITOR MAIL DISPLAY XDG_STATE_DIR RUNTIME_DIR STATE_DIRECTORY LOGS_DIRECTORY SSH_AUTH_SOCK SOURCE_DATE_EPOCH SOURCE_BRANCH SOURCE_COMMIT SOURCE_TAG SOURCE_ROOT SOURCE_DIR SOURCE_VERSION SOURCE_CODE DEST_DIR DESTDIR TEST_HOST TEST_USER TEST_PASSWORD TEST_PASSWORD_FILE REST_PASSWORD SMTP_PASSWORD FTP_PASSWORD SMTP_PASSWORD_FILE MYSQL_PASSWORD POSTGRES_PASSWORD_FILE LOG_LEVELS LOGLEVEL LOG_FILE VERBOSE FOLDER CI CI_COMMIT_BRANCH KUBERNETES_SERVICE_HOST KUBERNETES_PORT HTTP_HOSTS PORT VERIFY_SSL HISTSIZE HISTFILE MAX_WORKERS WEB_CONCURRENCY ALERTS LESSOPEN _'.split(
      ' ',
    );
  const ours = new Set(VARIABLES.keys());
  expect(others.filter((name) => ours.has(name))).toEqual([]);
  expect(load(Object.fromEntries(others.map((name) => [name, 'x']))).doubts).toEqual([]);
});
