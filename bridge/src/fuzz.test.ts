import { type Outcome, pendingStage, type StageRecord, stageState } from '@cc-ci/core';
import { expect } from 'chai';
import markdownIt from 'markdown-it';
import { describe, it } from 'mocha';
import { type Command, commandOf, decide } from './command.js';
import { forgeComment, forgeIssue, forgePull } from './forge/schemas.js';
import type { Progress } from './progress.js';
import {
  brokenBytes,
  brokenJson,
  type Chance,
  chanceFrom,
  commentBody,
  fuzz,
  nastyText,
} from './testing/fuzz.js';
import { COMMENT, ISSUE, PULL } from './testing/gitea-answers.js';
import { FACTS } from './testing/samples.js';
import * as words from './words.js';

const SEED = 20_261_121;

describe('100,000 bodies of comments', () => {
  /** What may stand around a command: white space and line ends of ECMAScript (ECMA-262, 12.2 and 12.3), spelled out. */
  const BLANKS = new Set(
    [9, 10, 11, 12, 13, 0x20, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff]
      .concat(Array.from({ length: 11 }, (_, i) => 0x2000 + i))
      .map((code) => String.fromCharCode(code)),
  );
  const RULE = new Map<string, string>([
    ['!testme', 'testme'],
    ['!testme stop', 'stop'],
    ['!testme status', 'status'],
  ]);

  function byTheRule(body: string): string | undefined {
    let start = 0;
    let end = body.length;
    while (start < end && BLANKS.has(body.charAt(start))) start++;
    while (end > start && BLANKS.has(body.charAt(end - 1))) end--;
    return RULE.get(body.substring(start, end));
  }

  it('are commands when they are exactly one, and never else', () => {
    const found = new Map<string | undefined, number>();
    fuzz(SEED, 100_000, (chance) => {
      const body = commentBody(chance);
      const command: Command | undefined = commandOf(body);
      found.set(command, (found.get(command) ?? 0) + 1);
      if (command !== byTheRule(body)) expect.fail(`${JSON.stringify(body)} is taken for ${command}`);
    });
    expect([...found.keys()]).to.have.members([undefined, ...RULE.values()]);
    for (const [command, count] of found) expect(count, String(command)).to.be.above(1_000);
  });

  it('start nothing when the bot wrote them, or somebody has changed them', () => {
    fuzz(SEED, 100_000, (chance) => {
      const created_at = 1_000 * chance.below(1_000_000);
      const later = 1_000 * chance.below(4);
      const comment = { body: commentBody(chance), created_at, updated_at: created_at + later };
      const author = 1 + chance.below(3);
      const decision = decide(comment, author, 2);
      const command = byTheRule(comment.body) ?? 'no-command';
      const edited = command !== 'no-command' && later > 1_000;
      const expected = author === 2 ? 'own-comment' : edited ? 'edited' : command;
      if (decision !== expected) expect.fail(`${JSON.stringify({ comment, author })}: ${decision}`);
    });
  });
});

describe('20,000 names and messages of tests', () => {
  /** As Gitea shows comments: HTML and bare links are taken, a line's end is one. */
  const markdown = markdownIt({ html: true, linkify: true, breaks: true });

  /** All that Markdown makes of a text, save for what stands in code. */
  function skeletonOf(text: string): string {
    return JSON.stringify(
      markdown
        .parse(text, {})
        .flatMap((token) => [token, ...(token.children ?? [])])
        .filter(({ type }) => type !== 'inline')
        .map(({ type, tag, attrs, content }) => [type, tag, attrs, isCode(type) ? '' : content]),
    ).replace(/What shows it: \d+ lines/, 'What shows it: n lines');
  }
  const isCode = (type: string) => type === 'code_inline' || type === 'fence' || type === 'code_block';

  /** Text of others, by what it is: nasty in one comment, innocent in the one it is compared with. */
  interface Foreign {
    text(): string;
    message(): string;
    evidence(): string[];
    author: string;
  }
  type Comment = (foreign: Foreign, chance: Chance) => string;

  /** Not blank: where there is nothing to show, a comment is laid out in another way. */
  function someNasty(chance: Chance): string {
    const text = nastyText(chance);
    return text.trim() === '' ? 'x' : text;
  }

  function stages({ text, message }: Foreign, chance: Chance): StageRecord[] {
    return (['prepare', 'install', 'upgrade'] as const).map((name) => {
      const state = chance.one(stageState.options);
      const record: StageRecord = { ...pendingStage(name), state };
      if (chance.oneIn(2)) record.reason = text();
      if (chance.oneIn(2)) record.failure = { blame: 'recipe', message: text(), evidence: [] };
      if (chance.oneIn(2)) {
        record.tests = [
          {
            source: 'recipe',
            suite: text(),
            title: text(),
            state: 'failed',
            durationMs: 1,
            message: message(),
          },
        ];
      }
      return record;
    });
  }

  function progress(foreign: Foreign, chance: Chance): Progress {
    if (chance.oneIn(3)) return { phase: 'running', since: undefined, stages: stages(foreign, chance) };
    const outcome: Outcome = {
      verdict: 'red',
      blame: 'recipe',
      sentence: foreign.text(),
      evidence: foreign.evidence(),
    };
    const level = { value: 1, scale: 1, missing: foreign.text() };
    return { phase: 'ended', outcome, stages: stages(foreign, chance), level };
  }

  const { run, publicUrl } = FACTS;
  const facts = ({ author, text }: Foreign) => ({
    ...FACTS,
    author,
    src: `https://${text()}`,
    origin: text(),
  });
  const COMMENTS: readonly Comment[] = [
    (foreign, chance) => words.progressComment(facts(foreign), progress(foreign, chance)),
    (foreign, chance) => words.progressComment(facts(foreign), progress(foreign, chance), { kind: 'merged' }),
    (foreign) => words.mentionComment(facts(foreign), { verdict: 'red', sentence: foreign.text() }),
    (foreign) => words.collapsedComment(facts(foreign), { verdict: 'green' }),
    ({ text, author }) => words.rejectedComment({ run, org: text(), author }),
    ({ text }) => words.notEnrolledComment({ run, repo: text(), how: 'file' }),
    ({ author }) => words.stopComment({ run, author, stopped: [{ run, hasPage: true }], publicUrl }),
    (foreign, chance) => {
      const newest = { run, progress: progress(foreign, chance) };
      return words.statusComment({ run, recipe: foreign.text(), publicUrl, newest });
    },
    ({ text }) =>
      words.refusalComment(run, words.refusalReason({ why: 'not-a-request', problems: [text(), text()] })),
    ({ text }) =>
      words.refusalComment(run, words.refusalReason({ why: 'no-recipe-name', name: text(), rule: 'a rule' })),
  ];

  /** Innocent comments of the same make, for all the ways a comment is laid out by the length of what it shows. */
  function innocents(comment: Comment, chance: () => Chance, author: string): string[] {
    return ['short', 'one\ntwo'].flatMap((message) =>
      [0, 1, 20].map((lines) =>
        comment(
          {
            text: () => 'innocent',
            message: () => message,
            evidence: () => Array.from({ length: lines }, () => 'line'),
            author,
          },
          chance(),
        ),
      ),
    );
  }

  it('make nothing of a comment that innocent ones do not', () => {
    fuzz(SEED, 20_000, (chance) => {
      const seed = chance.below(2 ** 31);
      const comment = chance.one(COMMENTS);
      const login = chance.oneIn(3) ? chance.one(['bob', 'a_b.c-d', '0x']) : undefined;
      const nasty: Foreign = {
        text: () => someNasty(chance),
        message: () => someNasty(chance),
        evidence: () => chance.some(20, () => nastyText(chance)),
        author: login ?? `${nastyText(chance)}/`,
      };
      const text = comment(nasty, chanceFrom(seed));
      const skeleton = skeletonOf(text);
      const allowed = innocents(comment, () => chanceFrom(seed), login ?? 'no login');
      if (!allowed.some((innocent) => skeletonOf(innocent) === skeleton)) {
        expect.fail(`${JSON.stringify(text)}\nbecomes ${skeleton}\nwhich no innocent one becomes`);
      }
      expect(Buffer.byteLength(text)).to.be.below(60_000);
      const kinds = ([undefined, 'done', 'answer'] as const).filter((kind) => words.isAbout(run, text, kind));
      expect(kinds, text).to.have.length(1);
      expect(words.isAbout('zzzz9999', text), text).to.equal(false);
    });
  }).timeout(120_000);

  it('are one short line in a commit status', () => {
    fuzz(SEED, 20_000, (chance) => {
      const { description } = words.finalStatus('red', nastyText(chance));
      if (!/^red: ?[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u.test(description) || description.length > 280) {
        expect.fail(JSON.stringify(description));
      }
    });
  });
});

describe('20,000 answers of a forge', () => {
  it('are read or refused, and bring nothing down', () => {
    const counts = { read: 0, refused: 0, 'no JSON': 0 };
    fuzz(SEED, 20_000, (chance) => {
      const [schema, value] = chance.one([
        [forgeComment, COMMENT],
        [forgeIssue, ISSUE],
        [forgePull, PULL],
      ] as const);
      const before = JSON.stringify(value);
      const text = brokenBytes(chance, brokenJson(chance, value)).toString();
      expect(JSON.stringify(value), 'the original').to.equal(before);
      let parsed: unknown;
      try {
        parsed = JSON.parse(text);
      } catch {
        counts['no JSON']++;
        return;
      }
      const { success } = schema.safeParse(parsed);
      counts[success ? 'read' : 'refused']++;
    });
    for (const [what, count] of Object.entries(counts)) expect(count, what).to.be.above(500);
  });

  it('are the same for the same seed, and different for others', () => {
    const answer = (seed: number) => {
      const chance = chanceFrom(seed);
      return (
        brokenBytes(chance, brokenJson(chance, PULL)).toString('hex') +
        commentBody(chance) +
        nastyText(chance)
      );
    };
    expect(answer(1)).to.equal(answer(1));
    expect(new Set(Array.from({ length: 100 }, (_, seed) => answer(seed))).size).to.be.above(90);
  });

  it('say with which seed they failed', () => {
    const failing = () => fuzz(SEED, 10, (chance) => expect(chance.below(3)).to.be.below(2));
    expect(failing).to.throw(Error, /^with seed 202611\d\d: expected 2 to be below 2$/);
  });
});
