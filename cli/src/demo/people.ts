import { join } from 'node:path';
import { InputError, readJson, writeJson } from '@cc-ci/core';
import { comment, type Organisation } from '@cc-ci/sandbox';
import { z } from 'zod';

const peopleSchema = z.strictObject({
  url: z.string(),
  org: z.string(),
  tokens: z.record(z.string(), z.string()),
});

const peopleFile = (dir: string) => join(dir, 'people.json');

/** Notes how to act as the people of a demo, for whoever browses it. The forge and its tokens end with the demo. */
export async function writePeople(dir: string, { url, name, member, stranger }: Organisation): Promise<void> {
  const tokens = { [member.login]: member.token, [stranger.login]: stranger.token };
  await writeJson(peopleFile(dir), { url, org: name, tokens }, 0o600);
}

/**
 * Comments on a pull request of a running demo.
 * @throws InputError when no demo is kept in this folder, or it has no such person
 */
export async function commentAs(
  dir: string,
  login: string,
  recipe: string,
  pr: number,
  text: string,
): Promise<void> {
  const people = await readJson(peopleFile(dir), peopleSchema);
  if (!people) throw new InputError(`there is no demo in ${dir}`, { hint: 'start one: ./demo --keep' });
  const token = people.tokens[login];
  if (!token)
    throw new InputError(`the demo has no ${login}`, {
      hint: `it has ${Object.keys(people.tokens).join(' and ')}`,
    });
  await comment(people.url, { token }, { repo: `${people.org}/${recipe}`, number: pr }, text);
}
