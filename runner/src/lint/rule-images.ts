import type { Finding } from '@cc-ci/core';
import type { Service } from './compose.js';
import { parseImage } from './image.js';
import { inViews, type RecipeModel } from './model.js';
import { finding } from './rules.js';

/** Names of what is newest at some stage: such a tag is moved on, unless a version stands behind the word. */
const MOVING =
  /^(?:stable|main|mainline|master|trunk|edge|nightly|dev|devel|develop|development|next|rolling|canary|unstable|testing|snapshot|lts|current)(?:$|[-_.](?!v?\d))/;
/** A commit id or a date: such a tag is made once. */
const MADE_ONCE = /\d{6,}|\d{4}[-.]\d{2}|(?<![0-9a-z])[0-9a-f]{7,}/;

/** Whether every image is pinned, variables put in. */
export function checkImages(model: RecipeModel): Finding[] {
  return inViews(model, (compose) => [...compose.services.values()].flatMap(checkImage));
}

function checkImage({ name, image, where }: Service): Finding[] {
  if (!image) {
    return [finding('image-unpinned', `service ${name} has no image; name one, Swarm builds none`, where)];
  }
  const { tag, digest } = parseImage(image.value);
  if (digest) return [];
  if (tag === '' || /(?:^|[-_.])latest(?:$|[-_.])/.test(tag)) {
    const what = tag === '' ? 'no tag' : `the tag ${tag}`;
    return [
      finding(
        'image-unpinned',
        `the image of service ${name}, ${image.value}, has ${what}; pin it to a version`,
        image.where,
      ),
    ];
  }
  const moving = MOVING.test(tag.toLowerCase()) ? !MADE_ONCE.test(tag) : !/\d/.test(tag);
  if (!moving) return [];
  return [
    finding(
      'image-moving',
      `the image of service ${name}, ${image.value}, has a tag that moves; pin it to a version`,
      image.where,
    ),
  ];
}
