/** The line of an error's text that says most, and the lines after it: "Transform failed with 1 error:" does not. */
export function headlineOf(text: string): { headline: string; rest: string[] } {
  const [first = '', ...others] = text.split('\n').filter((line) => line.trim());
  const [second = '', ...rest] = others;
  if (!first.endsWith(':') || !second) return { headline: first, rest: others };
  return { headline: `${first} ${second.trim()}`, rest };
}
