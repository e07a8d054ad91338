import type { Finding } from '@cc-ci/core';
import type { Located } from './compose.js';
import type { History } from './history.js';
import { type RecipeModel, views } from './model.js';
import { finding } from './rules.js';

/** `<semver>+<app version>`, as abra writes it. */
const VERSION = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?\+\S+$/;

/** The version label of service app, in the default combination. */
export function versionLabel(model: RecipeModel): Located | undefined {
  return appLabels(model)?.get(`coop-cloud.${model.stack}.version`);
}

const appLabels = (model: RecipeModel) => views(model)[0]?.compose.services.get('app')?.labels;

/** The version label and the tags. */
export function checkVersions(model: RecipeModel, history: History): Finding[] {
  return [...checkLabel(model, history), ...checkTags(history)];
}

function checkLabel(model: RecipeModel, { changedSince }: History): Finding[] {
  const label = versionLabel(model);
  const app = views(model)[0]?.compose.services.get('app');
  if (!label) {
    // Keys of maps are not interpolated, so a label written as one keeps its dollar sign.
    const literal = appLabels(model)?.get('coop-cloud.${STACK_NAME}.version');
    const message = literal
      ? 'the version label is the key of a map, where Docker replaces no variables; write the labels of service app as a list'
      : 'service app has no version label; add "coop-cloud.${STACK_NAME}.version=<semver>+<app version>" to its deploy.labels';
    return [finding('version-label', message, literal?.where ?? app?.where)];
  }
  if (!VERSION.test(label.value)) {
    return [
      finding(
        'version-label',
        `the version label says "${label.value}", which is not <semver>+<app version>; write it as 1.0.0+2.3.4`,
        label.where,
      ),
    ];
  }
  if (!changedSince.has(label.value)) return [];
  return [
    finding(
      'version-published',
      `the label says ${label.value}, which is published already with other compose files; this will be released under a newer version, which abra recipe release writes here`,
      label.where,
    ),
  ];
}

function checkTags({ tags }: History): Finding[] {
  const lightweight = tags.filter(({ annotated }) => !annotated).map(({ name }) => name);
  const malformed = tags.map(({ name }) => name).filter((name) => !VERSION.test(name));
  const findings: Finding[] = [];
  if (lightweight.length > 0) {
    findings.push(
      finding(
        'tag-lightweight',
        `${list(lightweight)}: lightweight tags, with which abra deploys no version of the recipe; make them again, annotated (git tag -a -f <tag> <tag>^{})`,
      ),
    );
  }
  if (malformed.length > 0) {
    findings.push(
      finding(
        'tag-malformed',
        `${list(malformed)}: tags that are no versions, <semver>+<app version>; delete them or publish them again in that form`,
      ),
    );
  }
  return findings;
}

const SHOWN = 10;
const list = (names: readonly string[]) =>
  `${names.slice(0, SHOWN).join(', ')}${names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''}`;
