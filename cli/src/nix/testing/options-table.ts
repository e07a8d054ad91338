import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { evaluate, ROOT } from './nix.js';

interface Option {
  name: string;
  type: string;
  default: string | null;
  description: string;
}

const PAGE = join(ROOT, 'docs', 'nixos.md');
const BEGIN = '<!-- options: made by `node cli/dist/nix/testing/write-options.js` -->\n';
const END = '<!-- end of options -->\n';

/** docs/nixos.md as it is, and as it would be with the options there are now. */
export async function optionsPage(): Promise<{ is: string; shouldBe: string }> {
  const is = await readFile(PAGE, 'utf8');
  const [begin, end] = [is.indexOf(BEGIN), is.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${PAGE} has lost the marks around its table of options`);
  const table = optionsTable(await evaluate<Option[]>('options', { profile: 'none', extra: '{ }' }));
  return { is, shouldBe: `${is.slice(0, begin)}${BEGIN}${table}${is.slice(end)}` };
}

/** Writes the table of options into docs/nixos.md. */
export async function writeOptions(): Promise<void> {
  await writeFile(PAGE, (await optionsPage()).shouldBe);
}

function optionsTable(options: Option[]): string {
  const rows = options.map(({ name, type, default: fallback, description }) => {
    const short = name.replace('services.cc-ci.', '');
    return `| \`${short}\` | ${cell(type)} | ${fallback === null ? 'required' : cell(fallback)} | ${cell(description)} |`;
  });
  return ['| option | type | default | meaning |', '| --- | --- | --- | --- |', ...rows, ''].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
