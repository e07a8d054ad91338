import { expect } from 'chai';
import { describe, it } from 'mocha';
import { type Output, openTerminal } from './terminal.js';

/** What a terminal shows in the end: each line as it was last written. */
function screen(text: string): string[] {
  const shown = text.split('\n').map((line) => line.split('\r\u001b[K').at(-1) ?? '');
  return shown.at(-1) === '' ? shown.slice(0, -1) : shown;
}

function recorded(change: Partial<Output> = {}) {
  let text = '';
  const output: Output = {
    write: (part) => {
      text += part;
    },
    ...change,
  };
  return { output, text: () => text };
}

describe('a terminal', () => {
  const play = (output: Output, env: NodeJS.ProcessEnv) => {
    const terminal = openTerminal(output, env);
    terminal.print('run abcd2345');
    terminal.say({ kind: 'stage-start', stage: 'install' });
    terminal.say({ kind: 'phase-start', stage: 'install', phase: 'deploy' });
    return terminal;
  };

  it('shows the phase that runs on a line of its own, which the next event takes the place of', () => {
    const { output, text } = recorded({ isTTY: true, columns: 80 });
    const terminal = play(output, { TERM: 'xterm', NO_COLOR: '1' });
    expect(screen(text())).to.deep.equal(['run abcd2345', 'install       deploy       0 s …']);
    terminal.say({ kind: 'phase-end', stage: 'install', phase: 'deploy', durationMs: 300 });
    terminal.say({ kind: 'stage-end', stage: 'install', state: 'passed', durationMs: 400 });
    terminal.print('the end');
    terminal.close();
    expect(screen(text())).to.deep.equal([
      'run abcd2345',
      'install       deploy       0.3 s',
      'install       PASSED       0.4 s',
      'the end',
    ]);
  });

  it('leaves no status line behind when it is closed in the middle', () => {
    const { output, text } = recorded({ isTTY: true, columns: 80 });
    play(output, { TERM: 'xterm' }).close();
    expect(screen(text())).to.deep.equal(['run abcd2345']);
  });

  it('writes whole lines and nothing else where it is no TTY, or one that can do nothing', () => {
    for (const [change, env] of [
      [{}, { TERM: 'xterm' }],
      [{ isTTY: true, columns: 80 }, { TERM: 'dumb' }],
    ] as const) {
      const { output, text } = recorded(change);
      const terminal = play(output, env);
      terminal.say({ kind: 'stage-end', stage: 'install', state: 'failed', why: 'no', durationMs: 400 });
      terminal.close();
      expect(text()).to.equal('run abcd2345\ninstall       FAILED: no  0.4 s\n');
    }
  });

  it('has colours on a TTY, unless NO_COLOR is set', () => {
    const colour = (change: Partial<Output>, env: NodeJS.ProcessEnv) => {
      const terminal = openTerminal(recorded(change).output, env);
      terminal.close();
      return terminal.style.colour;
    };
    expect(colour({ isTTY: true }, {})).to.equal(true);
    expect(colour({ isTTY: true }, { NO_COLOR: '' })).to.equal(true);
    expect(colour({ isTTY: true }, { NO_COLOR: '1' })).to.equal(false);
    expect(colour({}, {})).to.equal(false);
  });
});
