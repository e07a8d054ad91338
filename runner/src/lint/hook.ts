/** A file that a command writes, or removes; `order` counts the commands of the hook. */
interface Touched {
  path: string;
  order: number;
}

/** What a hook's command does to files, as far as its text tells. Only absolute paths. */
export interface HookEffects {
  writes: Touched[];
  removes: Touched[];
}

/** Options by which programs name the file they write, besides redirections. */
const OUTPUT_OPTIONS: readonly { program: RegExp; option: RegExp }[] = [
  { program: /^pg_dump(?:all)?$/, option: /(?:^|\s)(?:-f\s*|--file[=\s]\s*)(\S+)/ },
  { program: /^(?:mysqldump|mariadb-dump)$/, option: /(?:^|\s)(?:-r\s*|--result-file[=\s]\s*)(\S+)/ },
  { program: /^mongodump$/, option: /(?:^|\s)(?:-o\s*|--out[=\s]\s*|--archive=)(\S+)/ },
  { program: /^tar$/, option: /(?:^|\s)(?:-?[a-zA-Z]*f\s+|--file[=\s]\s*)(\S+)/ },
  { program: /^(?:tee)$/, option: /\s(?!-)(\S+)/ },
  // Where a file made elsewhere ends up.
  { program: /^(?:mv|cp)$/, option: /\s(\S+)\s*$/ },
];

/** Standard output and the file behind it; not standard error, not what is no file. */
const REDIRECTION = /(?<![\d&>])1?>>?\s*(?!&)(\S+)/g;
const NO_FILES = /^\/(?:dev|proc)\//;

/** Programs that make a dump of a database. */
const DUMPS =
  /\b(?:pg_dump|pg_dumpall|pg_basebackup|mysqldump|mariadb-dump|mariabackup|xtrabackup|mongodump)\b/;

/** Whether a command names a program that dumps a database. */
export const makesDump = (command: string) => DUMPS.test(command);

/** Reads a hook's command. A script that it calls is not read. */
export function effectsOf(command: string): HookEffects {
  const effects: HookEffects = { writes: [], removes: [] };
  // Quotes only get in the way: a path with a space in it is nothing that recipes have.
  const commands = command.replace(/["'`]/g, ' ').split(/&&|\|\||[;|\n]/);
  commands.forEach((text, order) => {
    const add = (to: Touched[], paths: readonly string[]) => {
      for (const path of paths) if (isFile(path)) to.push({ path: clean(path), order });
    };
    add(
      effects.writes,
      [...text.matchAll(REDIRECTION)].map(([, path = '']) => path),
    );
    // Behind a redirection there is nothing that options would name.
    const words = text.replace(REDIRECTION, ' ').trim().split(/\s+/);
    // Anywhere, because shells, users and variables may stand before the program.
    words.forEach((word, index) => {
      const program = word.split('/').pop() ?? '';
      const rest = ` ${words.slice(index + 1).join(' ')}`;
      if (program === 'rm') add(effects.removes, words.slice(index + 1));
      for (const known of OUTPUT_OPTIONS) {
        if (known.program.test(program)) add(effects.writes, known.option.exec(rest)?.slice(1) ?? []);
      }
    });
  });
  return effects;
}

/** An absolute path whose beginning is known. */
const isFile = (path: string) => /^\/+[^/$*?[]/.test(path) && !NO_FILES.test(path);

const clean = (path: string) =>
  path
    .replace(/[)}]+$/, '')
    .replace(/\/+/g, '/')
    .replace(/(?<=.)\/$/, '');
