/**
 * One secret in one encoding: parts that follow each other. A part is a list of spellings, any of which may stand
 * there; a run of characters that are never escaped is one part with one spelling.
 */
export type Pattern = readonly (readonly string[])[];

/** Shorter values would hit ordinary text ("v1", "true"), and protect nothing worth protecting. */
const SHORTEST_SECRET = 6;

/** Never escaped by anything that writes JSON, HTML, URLs or forms. */
const PLAIN = /^[A-Za-z0-9]$/;

/**
 * What to look for to find these values: each whole and each of its lines (logs are split into lines), as it is or in
 * base64, every character as it is or escaped for JSON, a URL, a form or HTML, also twice. Values under 6 characters
 * have none.
 */
export function patternsOf(secrets: Iterable<string>): Pattern[] {
  const texts = [...secrets].flatMap((secret) => [secret, ...secret.split(/\r?\n/)]);
  const values = texts.map((text) => text.replaceAll('\r\n', '\n').trim());
  return [...new Set(values)]
    .filter((value) => value.length >= SHORTEST_SECRET)
    .flatMap((value) => [escapedPattern(value), ...base64Patterns(value)]);
}

function escapedPattern(value: string): Pattern {
  return merged([...value].map(spellingsOf));
}

/** Neighbouring plain characters become one part, which is quicker to compare. */
function merged(parts: readonly (readonly string[])[]): Pattern {
  const out: string[][] = [];
  let plain = false;
  for (const [first = '', ...others] of parts) {
    const last = out.at(-1);
    if (plain && last && others.length === 0) last[0] += first;
    else out.push([first, ...others]);
    plain = others.length === 0;
  }
  return out;
}

/**
 * The value within a longer text that was encoded as a whole, such as `user:secret`: there are three ways it can lie
 * in base64's groups of three bytes. Characters that depend on neighbours are left out. Encoded alone, it ends in one
 * character more.
 */
function base64Patterns(value: string): Pattern[] {
  const inner = [
    value,
    value.replaceAll('\n', '\r\n'),
    JSON.stringify(value).slice(1, -1),
    encodeForUrl(value),
    new URLSearchParams({ '': value }).toString().slice(1),
  ];
  const texts = [...new Set(inner)].flatMap((text) => {
    const bytes = Buffer.from(text);
    const alone = bytes.toString('base64').replace(/=+$/, '');
    return [alone, ...[0, 1, 2].map((offset) => base64At(bytes, offset))];
  });
  return [...new Set(texts)].map((text) => merged([...text].map(base64Spellings)));
}

/** The characters of base64 that these bytes alone decide, when `offset` bytes stand before them. */
function base64At(bytes: Buffer, offset: number): string {
  const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
  return encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
}

/** base64url writes two characters differently. */
function base64Spellings(char: string): readonly string[] {
  if (char === '+') return [...spellingsOf('+'), '-'];
  if (char === '/') return [...spellingsOf('/'), '_'];
  return [char];
}

const known = new Map<string, readonly string[]>();

/** Every way this character may be written. */
function spellingsOf(char: string): readonly string[] {
  if (PLAIN.test(char)) return [char];
  let spellings = known.get(char);
  if (!spellings) {
    const json = inJson(char);
    const once = new Set([char, ...json, ...inUrl(char), ...inHtml(char), ...misread(char)]);
    if (char === '\n') once.add('\r\n').add('\\r\\n').add('%0D%0A').add('%0d%0a').add('&#13;&#10;');
    const twice = [...once].flatMap(escapedAgain);
    // JSON in JSON in JSON: what a page sends is often JSON with JSON in a string, and a trace writes that as JSON.
    const thrice = json.map(inJsonString).map(inJsonString);
    spellings = [...new Set([...once, ...twice, ...thrice])];
    known.set(char, spellings);
  }
  return spellings;
}

/** UTF-8 taken for Latin-1: what becomes of a page, or a request, that does not say what it is encoded in. */
function misread(char: string): string[] {
  const bytes = Buffer.from(char);
  return [bytes.toString('latin1'), new TextDecoder('windows-1252').decode(bytes)];
}

/** As JSON must, and as some libraries do for characters that need not be escaped. */
function inJson(char: string): string[] {
  const units = [...Array(char.length).keys()].map((at) => char.charCodeAt(at).toString(16).padStart(4, '0'));
  const unicode = units.map((unit) => `\\u${unit}`).join('');
  const upper = units.map((unit) => `\\u${unit.toUpperCase()}`).join('');
  return [inJsonString(char), unicode, upper, ...(char === '/' ? ['\\/'] : [])];
}

function inJsonString(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Percent-encoded in both cases, and a form's plus. */
function inUrl(char: string): string[] {
  const bytes = [...Buffer.from(char)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  return [bytes, bytes.toUpperCase(), ...(char === ' ' ? ['+'] : [])];
}

const HTML_NAMES: Record<string, string[]> = {
  '&': ['&amp;'],
  '<': ['&lt;'],
  '>': ['&gt;'],
  '"': ['&quot;'],
  "'": ['&apos;'],
  '\u00a0': ['&nbsp;'],
};

function inHtml(char: string): string[] {
  const code = char.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  const numbers = [String(code), String(code).padStart(3, '0'), `x${hex}`, `x${hex.toUpperCase()}`];
  return [...(HTML_NAMES[char] ?? []), ...numbers.map((number) => `&#${number};`)];
}

/** An escaped character that went through another encoder, which escapes what the first one wrote. */
function escapedAgain(text: string): string[] {
  const url = encodeForUrl(text);
  return [
    inJsonString(text),
    text.replaceAll('&', '\\u0026'),
    url,
    url.replace(/%../g, (encoded) => encoded.toLowerCase()),
    text.replaceAll('&', '&amp;').replaceAll('"', '&quot;'),
    text.replaceAll('"', '&#34;'),
  ];
}

/** `encodeURIComponent`, which throws at half a surrogate pair. */
function encodeForUrl(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\uFFFD'));
}
