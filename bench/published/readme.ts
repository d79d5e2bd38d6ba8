const END = '<!-- end of figures -->';

/**
 * The document with these figures in the place of those that this command finds out.
 *
 * @throws when it has no such place
 */
export function withFigures(document: string, figures: string, command = 'node bench/publish.ts'): string {
  const place = `<!-- figures: ${command} -->`;
  const start = document.indexOf(place);
  const end = document.indexOf(END, start);
  if (start === -1 || end === -1) throw new Error('the document has no place for figures');
  return `${document.slice(0, start)}${place}\n\n${figures}\n\n${document.slice(end)}`;
}
