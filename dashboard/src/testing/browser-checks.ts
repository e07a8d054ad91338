/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';

/** The Chromium of this machine. @throws when there is none on PATH */
export function chromiumPath(): string {
  const folders = (process.env.PATH ?? '').split(':');
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const paths = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = process.env.CC_CI_CHROMIUM ?? paths.find((path) => existsSync(path));
  if (found === undefined) throw new Error('there is no Chromium on PATH: apt-get install chromium');
  return found;
}

/** What everybody must be able to use, looked for in the page as the browser has made it. @returns what is wrong */
export async function pageFaults(page: Page): Promise<string[]> {
  return await page.evaluate(() => {
    const faults: string[] = [];
    const say = (what: string, element?: Element) =>
      faults.push(element ? `${what}: ${element.outerHTML.slice(0, 120)}` : what);
    const all = (selector: string) => [...document.querySelectorAll(selector)];
    if (all('h1').length !== 1) say(`${all('h1').length} h1`);
    let level = 0;
    for (const heading of all('h1, h2, h3, h4')) {
      const own = Number(heading.tagName.charAt(1));
      if (own > level + 1) say('a heading that leaves out a level', heading);
      level = own;
    }
    for (const landmark of ['main', 'header', 'footer'])
      if (all(landmark).length !== 1) say(`no single ${landmark}`);
    for (const it of all('th')) if (!it.getAttribute('scope')) say('th without scope', it);
    for (const it of all('img')) if (!it.getAttribute('alt')) say('img without alt', it);
    for (const it of all('nav, [role=region]'))
      if (!it.getAttribute('aria-label') && !it.getAttribute('aria-labelledby'))
        say('region without a name', it);
    for (const it of all('a, button'))
      if (!it.textContent?.trim() && !it.querySelector('img')) say('no text', it);
    for (const it of all('input'))
      if (!it.getAttribute('aria-label') && !(it as HTMLInputElement).labels?.length) say('no label', it);
    const ids = all('[id]').map((it) => it.id);
    for (const id of new Set(ids)) if (ids.indexOf(id) !== ids.lastIndexOf(id)) say(`id ${id} twice`);
    for (const it of all('[aria-labelledby]'))
      if (!document.getElementById(it.getAttribute('aria-labelledby') ?? '')) say('named by nothing', it);
    for (const it of all('*')) {
      const { overflowX, overflowY } = getComputedStyle(it);
      const scrolls = /auto|scroll/.test(overflowY + overflowX) && it.scrollHeight > it.clientHeight + 1;
      if (scrolls && it !== document.documentElement && it !== document.body && !it.hasAttribute('tabindex'))
        say('scrolls, but not by keyboard', it);
    }
    const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    if (wide > 0) say(`${wide} px wider than the window`);

    const colour = (text: string): number[] => (text.match(/[\d.]+/g) ?? []).map(Number);
    const luminance = (rgb: number[]) => {
      const [r = 0, g = 0, b = 0] = rgb.map((it) => {
        const part = it / 255;
        return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (start: Element): number[] => {
      for (let it: Element | null = start; it; it = it.parentElement) {
        const [r = 0, g = 0, b = 0, alpha = 1] = colour(getComputedStyle(it).backgroundColor);
        if (alpha === 1) return [r, g, b];
      }
      return [255, 255, 255];
    };
    const seen = new Set<string>();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const parent = node.parentElement;
      if (!parent || !node.textContent?.trim() || parent.closest('.unseen, svg, script, noscript, .skip'))
        continue;
      const text = colour(getComputedStyle(parent).color).slice(0, 3);
      const behind = ground(parent);
      const pair = `${text} on ${behind}`;
      if (seen.has(pair)) continue;
      seen.add(pair);
      const [light = 0, dark = 0] = [luminance(text), luminance(behind)].sort((a, b) => b - a);
      const contrast = (light + 0.05) / (dark + 0.05);
      if (contrast < 4.5) say(`contrast ${contrast.toFixed(2)} of ${pair}`, parent);
    }
    return faults;
  });
}
