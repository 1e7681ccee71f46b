/** `imapferry check`: logs in on both sides, looks, and says what would go where. Changes nothing on either. */
import { checkReport, type RouteFacts } from '../check/report.ts';
import { reportJson, reportText } from '../check/text.ts';
import { type Config, readEnvironment } from '../config/config.ts';
import { asFailure } from '../domain/failure.ts';
import type { FolderStatus } from '../domain/ports.ts';
import type { Account, Route } from '../domain/route.ts';
import type { Measure, Survey } from '../domain/survey.ts';
import { hidden, isListed } from '../forward/move-folder.ts';
import type { Plan } from '../forward/plan.ts';
import { mustList, planOf } from '../forward/planning.ts';
import { Ways } from '../forward/ways.ts';
import { type Surveyed, surveyAccount } from '../imap/survey.ts';

export interface CheckOptions {
  readonly json: boolean;
  readonly print: (text: string) => void;
}

/**
 * Prints the report. Resolves with the exit code: 0 ready, 1 not, and why.
 * @throws ConfigError where the configuration can't be used
 */
export async function check(envFiles: readonly string[], options: CheckOptions): Promise<number> {
  return checkConfig(readEnvironment(envFiles), options);
}

/** As `check`, of a Config. */
export async function checkConfig(config: Config, { json, print }: CheckOptions): Promise<number> {
  const stop = new AbortController();
  const facts: RouteFacts[] = [];
  // One after another: routes that share an account shall not need more connections than one does.
  for (const route of config.routes) facts.push(await gather(route, stop.signal));
  const report = checkReport(withCircles(facts), [...config.doubts, ...config.remarks]);
  print(json ? reportJson(report) : reportText(report, Date.now()));
  return report.ready ? 0 : 1;
}

/** What is wrong between the plans of several routes is a mistake of each. */
function withCircles(all: readonly RouteFacts[]): RouteFacts[] {
  const ways = new Ways();
  for (const { route, plan } of all) ways.lay(route, plan?.pairs ?? []);
  return all.map((facts) => {
    const { route, plan } = facts;
    if (plan === undefined) return facts;
    const mistakes = [...(plan.mistakes ?? []), ...ways.circles(route.name)];
    return { ...facts, plan: { ...plan, mistakes } };
  });
}

/** Where the counterparts that there are stand. One that can't be asked is missing. */
async function standingsOf(
  pairs: Plan['pairs'],
  { standing }: Surveyed,
): Promise<Map<string, FolderStatus>> {
  const standings = new Map<string, FolderStatus>();
  for (const { dest, exists } of pairs) {
    const status = exists ? await standing(dest).catch(() => undefined) : undefined;
    if (status) standings.set(dest, status);
  }
  return standings;
}

/** A move folder that the source has and does not list. */
async function unlisted(
  { afterDelivery: after }: Route,
  { survey, measure }: Surveyed,
): Promise<string[]> {
  if (after.kind !== 'move' || isListed(survey, after.folder)) return [];
  const isThere = await measure(after.folder).then(
    () => true,
    () => false,
  );
  return isThere ? [hidden(after.folder)] : [];
}

/** Never rejects but for a mistake of ours. */
async function gather(route: Route, signal: AbortSignal): Promise<RouteFacts> {
  const [source, destination] = await Promise.all([
    surveyAccount(route.source, { signal }),
    surveyAccount(route.destination, { signal }),
  ]);
  try {
    const facts = {
      route,
      source: believed(source.survey, 'source'),
      destination: believed(destination.survey, 'destination'),
    };
    if (facts.source.failure || facts.destination.failure) return { ...facts, measures: new Map() };
    const made = planOf(route, facts.source, facts.destination);
    const plan = { ...made, mistakes: [...made.mistakes, ...(await unlisted(route, source))] };
    const measures = new Map<string, Measure | string>();
    for (const { source: folder } of plan.pairs) {
      const measure = await source
        .measure(folder)
        .catch((thrown: unknown) => asFailure(thrown, 'look').message);
      measures.set(folder, measure);
    }
    return { ...facts, plan, measures, standings: await standingsOf(plan.pairs, destination) };
  } finally {
    await Promise.all([source.end(), destination.end()]);
  }
}

/** With a failure where the account lists nothing. */
function believed(survey: Survey, side: Account['side']): Survey {
  if (survey.failure) return survey;
  try {
    mustList(survey, side);
    return survey;
  } catch (thrown) {
    return { ...survey, failure: asFailure(thrown, 'look') };
  }
}
