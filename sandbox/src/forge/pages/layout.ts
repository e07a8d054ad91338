import { type Html, html } from './html.js';

/** What browsers may do with a page: no scripts, nothing from elsewhere but the pictures that comments show. */
export const PAGE_POLICY =
  "default-src 'none'; style-src 'self'; img-src http: https: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** A step of the way to a page: its name and where it leads. */
export type Crumb = readonly [name: string, path: string];

/** A whole page. */
export function page(title: string, crumbs: readonly Crumb[], content: Html): string {
  const way = crumbs.map(([name, path]) => html` / <a href="${path}">${name}</a>`);
  const whole = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · sandbox forge</title>
<link rel="stylesheet" href="/-/forge.css">
</head>
<body>
<header><nav><b><a href="/">Sandbox forge</a></b>${way}</nav></header>
<main>
${content}
</main>
</body>
</html>
`;
  return whole.text;
}

/** A moment, in UTC. */
export function moment(date: Date): Html {
  const iso = date.toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC</time>`;
}

/** A state as a coloured word. */
export function tag(state: string): Html {
  return html`<span class="tag ${state}">${state}</span>`;
}
