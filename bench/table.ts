/** Lines of aligned columns, the headings first. */
export function formatTable(headings: readonly Heading[], rows: readonly (readonly string[])[]): string {
  const lines = [headings.map(({ title }) => title), ...rows];
  const widths = headings.map((_heading, column) => Math.max(...lines.map((cells) => (cells[column] ?? '').length)));
  return lines
    .map((cells) =>
      cells
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return headings[column]?.isNumber ? cell.padStart(width) : cell.padEnd(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export interface Heading {
  readonly title: string;
  /** Numbers stand to the right. */
  readonly isNumber?: boolean;
}
