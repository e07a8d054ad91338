/** The forge's one stylesheet. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1f2328; --dim: #59636e; --line: #d1d9e0; --paper: #fff; --soft: #f6f8fa;
  --link: #0b5cad; --good: #1a7f37; --bad: #c4232b; --busy: #9a6700; --closed: #6e4fb3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --dim: #9198a1; --line: #3d444d; --paper: #0d1117;
  --soft: #161b22; --link: #6cb6ff; --good: #57ab5a; --bad: #f47067; --busy: #d4a72c; --closed: #b392f0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
header { background: var(--soft); border-bottom: 1px solid var(--line); }
header nav, main { max-width: 60rem; margin: 0 auto; padding: .75rem 1.25rem; }
header nav b { margin-right: .75rem; }
main { padding-bottom: 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 1rem 0 .5rem; overflow-wrap: anywhere; }
h1 small, .dim { color: var(--dim); font-weight: 400; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
code, pre { font: .875em/1.45 ui-monospace, monospace; background: var(--soft); border-radius: 4px; }
code { padding: .1em .35em; overflow-wrap: anywhere; }
pre { padding: .75rem; overflow: auto; }
pre code { padding: 0; background: none; font-size: 1em; overflow-wrap: normal; }
ul.rows { list-style: none; margin: 0; padding: 0; border: 1px solid var(--line); border-radius: 6px; }
ul.rows > li { padding: .6rem .9rem; display: flex; gap: .75rem; align-items: baseline; flex-wrap: wrap; }
ul.rows > li + li { border-top: 1px solid var(--line); }
.push { margin-left: auto; }
.tag { border-radius: 99px; padding: .1rem .6rem; font-size: .8rem; font-weight: 600; color: var(--paper); background: var(--dim); }
.tag.open, .tag.success { background: var(--good); } .tag.closed { background: var(--closed); }
.tag.failure, .tag.error { background: var(--bad); } .tag.pending, .tag.warning { background: var(--busy); }
article { border: 1px solid var(--line); border-radius: 6px; margin: 1rem 0; }
article > header { padding: .5rem .9rem; border-radius: 6px 6px 0 0; color: var(--dim); font-size: .9rem; }
article > div { padding: .25rem .9rem; overflow-wrap: anywhere; }
article img { max-width: 100%; }
table { border-collapse: collapse; margin: .75rem 0; display: block; overflow-x: auto; }
td, th { border: 1px solid var(--line); padding: .3rem .7rem; text-align: left; }
blockquote { margin: .5rem 0; padding-left: .9rem; border-left: 3px solid var(--line); color: var(--dim); }
`;
