import type { Finding } from '@cc-ci/core';
import { MAIN_COMPOSE_FILE } from '../compose.js';
import { select } from './combinations.js';
import { ENV_SAMPLE } from './env-sample.js';
import { type Combination, combinationOf, type RecipeModel } from './model.js';
import { askDocker, type Complaint, firstUse, type Run } from './parser.js';
import { checkReferences } from './references.js';
import { finding } from './rules.js';

/** Parsers at work at once: each is one short process. */
const WIDTH = 4;

interface Tools {
  run: Run;
  signal: AbortSignal;
}

interface Checked {
  combination: Combination;
  complaints: Complaint[];
  /** Docker's parser had its say, or nobody needed it. */
  parsed: boolean;
}

/** Whether the compose files can be deployed in the combinations that `.env.sample` offers. */
export async function checkCombinations(model: RecipeModel, tools: Tools): Promise<Finding[]> {
  const checked = await mapAtOnce(model.combinations, (combination) => check(model, combination, tools));
  const findings: Finding[] = [];
  const seen = new Set<string>();
  for (const { combination, complaints } of checked) {
    // What fewer options get wrong is not wrong again with more.
    const fresh = complaints.filter((complaint) => !seen.has(keyOf(complaint)));
    for (const complaint of fresh) seen.add(keyOf(complaint));
    if (fresh.length > 0) findings.push(...(await report(model, combination, fresh, tools)));
  }
  return [...findings, ...notes(model, checked)];
}

const keyOf = ({ message, where }: Complaint) => `${where} ${message}`;

async function check(model: RecipeModel, combination: Combination, tools: Tools): Promise<Checked> {
  const complaints = await checkReferences(model, combination);
  // Docker reads what the files name: it is not let loose on files that are not the recipe's.
  if (complaints.length > 0) return { combination, complaints, parsed: true };
  const answer = await askDocker(combination, { dir: model.dir, ...tools });
  if (answer === 'unsupported') return { combination, complaints: missingValues(combination), parsed: false };
  return { combination, complaints: answer ? [answer] : [], parsed: true };
}

/** Without Docker's parser: variables that say themselves that they must have a value. */
function missingValues({ sources, env }: Combination): Complaint[] {
  const use = firstUse(sources, ({ name, required }) => required && !env[name]);
  return use
    ? [
        {
          message: `required variable ${use.name} is missing a value; give it one in .env.sample`,
          where: use.where,
        },
      ]
    : [];
}

async function report(
  model: RecipeModel,
  combination: Combination,
  complaints: readonly Complaint[],
  tools: Tools,
): Promise<Finding[]> {
  const { options } = combination;
  const all = options.length > 2 && options.length === model.sample?.options.length;
  const named = all ? 'all options at once' : options.map(({ files }) => files.join(' and ')).join(' with ');
  const place = ({ where }: Complaint) => where ?? options.at(-1)?.files[0] ?? MAIN_COMPOSE_FILE;
  if (options.length === 0) {
    return complaints.map((complaint) =>
      finding(
        'compose-default',
        `as .env.sample comes, the recipe cannot be deployed: ${complaint.message}`,
        place(complaint),
      ),
    );
  }
  if (options.length === 1 && !(await worksAlone(model, combination, tools))) {
    return complaints.map((complaint) =>
      finding(
        'compose-option',
        `with ${named} the recipe cannot be deployed: ${complaint.message}`,
        place(complaint),
      ),
    );
  }
  const together = options.length === 1 ? `${named} with what .env.sample switches on by default` : named;
  return complaints.map((complaint) =>
    finding(
      'compose-options-together',
      `${together} cannot be deployed: ${complaint.message}, or say in .env.sample that they exclude each other`,
      place(complaint),
    ),
  );
}

/** An option that takes the place of one that is on by default works once that one is switched off. */
async function worksAlone(model: RecipeModel, { options }: Combination, tools: Tools): Promise<boolean> {
  if (!model.sample || model.sample.defaults.length === 0) return false;
  const alone = combinationOf(model, select(model.sample, options, model.sample.defaults));
  return (await check(model, alone, tools)).complaints.length === 0;
}

function notes(
  { sample, sources, combinations, offered }: RecipeModel,
  checked: readonly Checked[],
): Finding[] {
  const used = new Set(combinations.flatMap(({ files }) => files));
  const found = [...sources.keys()]
    .filter((name) => sample && !used.has(name))
    .map((name) =>
      finding(
        'compose-not-offered',
        `no line of .env.sample offers ${name}; offer it by #COMPOSE_FILE="$COMPOSE_FILE:${name}", or take the file out`,
        name,
      ),
    );
  if (offered > combinations.length) {
    found.push(
      finding(
        'compose-combinations-capped',
        `.env.sample offers ${offered} combinations; ${combinations.length} were tried (each option, pairs, all at once), so try those that matter by hand`,
        ENV_SAMPLE,
      ),
    );
  }
  if (checked.some(({ parsed }) => !parsed)) {
    found.push(
      finding(
        'compose-parser-missing',
        'the Docker client here has no "docker stack config", so only our own checks were made; install Docker 25 or newer where cc-ci runs',
      ),
    );
  }
  return found;
}

/** @throws the first error, when all that began has ended */
async function mapAtOnce<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  const ends = await Promise.allSettled(Array.from({ length: WIDTH }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return results;
}
