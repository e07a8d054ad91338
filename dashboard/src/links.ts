import type { TestRequest } from '@cc-ci/core/reading';

/** A clone URL without the `.git` and slashes at its end; undefined for anything that is not http(s). */
function webUrl(clone: string): string | undefined {
  if (!/^https?:\/\//.test(clone)) return undefined;
  return clone.replace(/\/+$/, '').replace(/\.git$/, '');
}

/** The forge's page of the tested commit; undefined where the source is no forge (a local path). */
export function commitUrl(request: TestRequest): string | undefined {
  const repository = webUrl(request.src);
  return repository && `${repository}/commit/${request.ref}`;
}

/** The forge's page of the pull request; undefined for runs without one. */
export function pullUrl(request: TestRequest): string | undefined {
  const repository = webUrl(request.origin ?? request.src);
  if (repository === undefined || request.repo === undefined || request.pr === undefined) return undefined;
  // Head and base repository are on the same forge; what comes before owner and name is its address.
  const forge = repository.split('/').slice(0, -2).join('/');
  return `${forge}/${request.repo}/pulls/${request.pr}`;
}

/** Folder names that can have a page of their own: no hidden ones, nothing a URL or a web server could misread. */
export function hasPage(id: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(id);
}

/** Has nothing to encode, as almost every segment; looking is cheaper than encoding nothing. */
const PLAIN = /^[\w.-]*$/;

/** A path inside the site as a link: `base` is what comes before the site's root, without a slash at its end. */
export function link(base: string, ...segments: readonly string[]): string {
  return `${base}/${segments.map((it) => (PLAIN.test(it) ? it : encodeURIComponent(it))).join('/')}`;
}
