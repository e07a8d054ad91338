import markdownIt from 'markdown-it';
import { Html } from './html.js';

const OPEN = '<!--';
const CLOSE = '-->';

const renderer = markdownIt({ html: false, linkify: true, breaks: true }).use(leaveOutHtmlComments);

/** Markdown as HTML. HTML in it is shown as text, HTML comments (as bots mark their comments with) not at all. */
export function markdown(text: string): Html {
  return new Html(renderer.render(text));
}

function leaveOutHtmlComments(md: markdownIt): void {
  md.inline.ruler.before('text', 'html_comment', (state, silent) => {
    if (!state.src.startsWith(OPEN, state.pos)) return false;
    const end = state.src.indexOf(CLOSE, state.pos + OPEN.length);
    if (end < 0) return false;
    if (!silent) state.pos = end + CLOSE.length;
    return !silent;
  });
  // Alone on its lines a comment is no paragraph either; blank lines in it would end one.
  const alone = { alt: ['paragraph', 'blockquote', 'list'] };
  md.block.ruler.before(
    'fence',
    'html_comment',
    (state, startLine, endLine, silent) => {
      const lineAt = (line: number) =>
        state.src.slice((state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0), state.eMarks[line]);
      if ((state.sCount[startLine] ?? 0) - state.blkIndent >= 4) return false;
      if (!lineAt(startLine).startsWith(OPEN)) return false;
      for (let line = startLine; line < endLine; line++) {
        const close = lineAt(line).indexOf(CLOSE);
        if (close < 0) continue;
        if (
          lineAt(line)
            .slice(close + CLOSE.length)
            .trim() !== ''
        )
          return false;
        if (!silent) state.line = line + 1;
        return true;
      }
      return false;
    },
    alone,
  );
}
