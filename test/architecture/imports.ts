import { posix } from 'node:path';
import { isNode, literalOf, nameOf, nodesIn, type SourceFile, type SyntaxNode } from './syntax.ts';

export interface Import {
  /** The file that imports, from `src/` on. */
  readonly from: string;
  /** The file that is imported, from `src/` on. */
  readonly to: string;
}

/**
 * What a file needs of others in `src/`: values and types alike, since whoever reads it needs to know both; re-exports,
 * late imports, and files that are started as threads.
 */
export function importsOf({ path, syntax }: Pick<SourceFile, 'path' | 'syntax'>): readonly Import[] {
  return [...nodesIn(syntax)]
    .flatMap((node) => specifierOf(node) ?? [])
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => ({ from: path, to: posix.join(posix.dirname(path), specifier) }));
}

/** Of packages and of Node itself. */
export function packagesOf({ syntax }: Pick<SourceFile, 'syntax'>): readonly string[] {
  return [...nodesIn(syntax)].flatMap((node) => specifierOf(node) ?? []).filter((name) => !name.startsWith('.'));
}

function specifierOf(node: SyntaxNode): string | null {
  if (node.type === 'NewExpression' && nameOf(node.callee) === 'URL') return startedFile(node);
  const isImport = /^(?:Import|ExportNamed|ExportAll)(?:Declaration|Expression)$/.test(node.type);
  if (isImport) return literalOf(node.source);
  return node.type === 'TSImportType' ? literalOf(node.source ?? node.argument) : null;
}

/** `new URL('…', import.meta.url)`. */
function startedFile(node: SyntaxNode): string | null {
  const [file, base] = Array.isArray(node.arguments) ? node.arguments : [];
  const isBesideThis = isNode(base) && base.type === 'MemberExpression' && nameOf(base.property) === 'url';
  const name = isBesideThis ? literalOf(file) : null;
  return name === null ? null : `./${name}`;
}

/** Files that need each other, each such circle once, as `a.ts → b.ts → a.ts`. */
export function circlesIn(imports: readonly Import[]): readonly string[] {
  const targets = Map.groupBy(imports, ({ from }) => from);
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]) => {
    const start = path.indexOf(file);
    if (start !== -1) circles.push([...path.slice(start), file].join(' → '));
    if (start !== -1 || done.has(file)) return;
    for (const { to } of targets.get(file) ?? []) visit(to, [...path, file]);
    done.add(file);
  };
  for (const file of targets.keys()) visit(file, []);
  return circles;
}
