const START = '<!-- figures: node bench/publish.ts -->';
const END = '<!-- end of figures -->';

/** The README with these figures in their one place. @throws when it has no such place */
export function withFigures(readme: string, figures: string): string {
  const start = readme.indexOf(START);
  const end = readme.indexOf(END);
  if (start === -1 || end < start) throw new Error('the README has no place for figures');
  return `${readme.slice(0, start)}${START}\n\n${figures}\n\n${readme.slice(end)}`;
}
