/** A piece of text in one style; `style` is a list of CSS classes, or empty. */
export interface Segment {
  text: string;
  style: string;
}

const COLOURS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
// Escape sequences: CSI (its parameters and final byte captured), OSC up to its end, and any other two-character one.
const ESCAPE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  /\u001b\[([0-9;:?<=>]*)[ -/]*([@-~])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-Z\\^-~]?/g;
// What is left of C0 and C1 besides tab and newline, and the characters that reorder text for the eye.
const INVISIBLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Whether there is anything in a text but what is to be shown as it is. */
export function isStyled(text: string): boolean {
  return text.search(INVISIBLE) !== -1;
}

/** Text without escape sequences, control characters and characters that reorder text. Newlines stay. */
export function plainText(text: string): string {
  // Most text has none of these; escape sequences and \r\n begin with one.
  if (!isStyled(text)) return text;
  return text.replaceAll('\r\n', '\n').replace(ESCAPE, '').replace(INVISIBLE, '');
}

/**
 * One line of terminal output as styled pieces: colours and weight are kept, cursor movements are not. Of a line that
 * was overwritten with carriage returns (a progress bar), what stood there last.
 */
export function styleLine(line: string): Segment[] {
  if (!isStyled(line)) return line === '' ? [] : [{ text: line, style: '' }];
  const last = line.replace(/\r+$/, '').split('\r').at(-1) ?? '';
  const segments: Segment[] = [];
  const state: StyleState = { bold: false, dim: false, colour: undefined };
  let from = 0;
  const push = (end: number) => {
    const text = last.slice(from, end).replace(INVISIBLE, '');
    const style = stylesOf(state);
    const previous = segments.at(-1);
    if (!text) return;
    if (previous?.style === style) previous.text += text;
    else segments.push({ text, style });
  };
  for (const match of last.matchAll(ESCAPE)) {
    push(match.index);
    from = match.index + match[0].length;
    if (match[2] === 'm') apply(state, match[1] ?? '');
  }
  push(last.length);
  return segments;
}

interface StyleState {
  bold: boolean;
  dim: boolean;
  colour: string | undefined;
}

function stylesOf({ bold, dim, colour }: StyleState): string {
  return [bold && 'ansi-bold', dim && 'ansi-dim', colour && `ansi-${colour}`].filter(Boolean).join(' ');
}

function apply(state: StyleState, parameters: string): void {
  const codes = parameters.split(/[;:]/).map(Number);
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] ?? 0;
    // Colours by number or by red, green and blue: passed over, with the numbers that belong to them.
    if (code === 38 || code === 48) at += codes[at + 1] === 5 ? 2 : 4;
    else applyCode(state, code);
  }
}

function applyCode(state: StyleState, code: number): void {
  if (code === 0) Object.assign(state, { bold: false, dim: false, colour: undefined });
  else if (code === 1) state.bold = true;
  else if (code === 2) state.dim = true;
  else if (code === 22) Object.assign(state, { bold: false, dim: false });
  else if (code === 39) state.colour = undefined;
  else if (code >= 30 && code <= 37) state.colour = COLOURS[code - 30];
  else if (code >= 90 && code <= 97) state.colour = COLOURS[code - 90];
}
