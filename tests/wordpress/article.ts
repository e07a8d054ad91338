import { http } from '@cc-ci/runner/harness';
import { expect } from 'chai';
import { apiPath, json, type Media, type Post, type Session } from './site.js';

/** Whatever these tests write is called this at the front, and nothing else on the site is. */
const PREFIX = 'cc-ci-';

/** What is seeded: an article, and a document that lies among the uploads. */
const ARTICLE = {
  slug: `${PREFIX}article`,
  title: 'The tides of next week',
  content: '<p>High water at six, “naturally” – ask Zoë.</p>',
};
const DOCUMENT = {
  slug: `${PREFIX}tides`,
  name: `${PREFIX}tides.txt`,
  content: 'Mon 06:12\nTue 07:01\nWed 07:48 – spring tide\n',
};

const posts = async () => json<Post[]>(await http.get(apiPath('/wp/v2/posts?per_page=100')), 200);
const media = async () => json<Media[]>(await http.get(apiPath('/wp/v2/media?per_page=100')), 200);
const ours = <T extends { slug: string }>(all: T[]) => all.filter(({ slug }) => slug.startsWith(PREFIX));

/** Publishes the article and uploads the document, where they are not there yet. */
export async function publishArticle(session: Session): Promise<void> {
  if (ours(await posts()).length === 0) {
    const { slug, title, content } = ARTICLE;
    await json(await session.api('POST', '/wp/v2/posts', { slug, title, content, status: 'publish' }), 201);
  }
  if (ours(await media()).length === 0) {
    await json(await session.upload(DOCUMENT.name, 'text/plain', DOCUMENT.content), 201);
  }
}

/**
 * Looks for the article and the document as a visitor: in the database, on the page and among the uploads.
 * Throws unless they are there as they were published, and nothing beside them that was written later.
 */
export async function expectArticle(): Promise<void> {
  const [article, ...otherPosts] = ours(await posts());
  expect(article?.title.rendered, 'title of the article').to.equal(ARTICLE.title);
  expect(otherPosts, 'other posts').to.deep.equal([]);
  const page = await http.get(`/?p=${article?.id}`);
  expect(page.status, 'status of its page').to.equal(200);
  expect(await page.text()).to.include(ARTICLE.content);

  const [document, ...otherMedia] = ours(await media());
  expect(document?.slug, 'name of the document').to.equal(DOCUMENT.slug);
  expect(otherMedia, 'other uploads').to.deep.equal([]);
  const file = await http.get(document?.source_url ?? '');
  expect(file.status, 'status of the document').to.equal(200);
  expect(await file.text()).to.equal(DOCUMENT.content);
}

/** Rewrites the article, publishes another one, takes the document away. */
export async function spoilArticle(session: Session): Promise<void> {
  const [article] = ours(await posts());
  await json(
    await session.api('POST', `/wp/v2/posts/${article?.id}`, { title: 'No tides any more', content: 'Dry.' }),
    200,
  );
  const later = { slug: `${PREFIX}later`, title: 'Written later', status: 'publish' };
  await json(await session.api('POST', '/wp/v2/posts', later), 201);
  const [document] = ours(await media());
  await json(await session.api('DELETE', `/wp/v2/media/${document?.id}?force=true`), 200);
  const file = await http.get(document?.source_url ?? '');
  expect(file.status, 'status of the document that was taken away').to.equal(404);
}
