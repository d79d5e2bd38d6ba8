import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAst } from 'vitest/node';

/** A node of the syntax tree of TypeScript: ESTree, and what TypeScript adds to it. */
export interface SyntaxNode {
  readonly type: string;
  readonly [property: string]: unknown;
}

export interface SourceFile {
  /** From `src/` on, such as `sessions/end.ts`. */
  readonly path: string;
  readonly text: string;
  readonly syntax: SyntaxNode;
}

/** Every file of ours in `src/`; what Prisma generates is not ours. */
export function readSourceFiles(): readonly SourceFile[] {
  const directory = join(import.meta.dirname, '../../src');
  return globSync('**/*.ts', { cwd: directory })
    .filter((path) => !path.startsWith('database/generated/'))
    .toSorted()
    .map((path) => {
      const text = readFileSync(join(directory, path), 'utf8');
      return { path, text, syntax: parse(text) };
    });
}

export function parse(text: string): SyntaxNode {
  return toNode(parseAst(text, { lang: 'ts' }));
}

/** The node and all below it, from the outside to the inside. */
export function* nodesIn(node: SyntaxNode): Generator<SyntaxNode> {
  yield node;
  for (const value of Object.values(node)) {
    for (const child of [value].flat()) if (isNode(child)) yield* nodesIn(child);
  }
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** `a.b.c` of such an expression, `?` for what is no name in it; null for any other expression. */
export function nameOf(node: unknown): string | null {
  if (!isNode(node)) return null;
  if (node.type === 'Identifier') return String(node.name);
  if (node.type === 'ChainExpression') return nameOf(node.expression);
  if (node.type !== 'MemberExpression') return null;
  const property = node.computed === true ? literalOf(node.property) : nameOf(node.property);
  return `${nameOf(node.object) ?? '?'}.${property ?? '?'}`;
}

/** The text of a literal. */
export function literalOf(node: unknown): string | null {
  return isNode(node) && node.type === 'Literal' && typeof node.value === 'string' ? node.value : null;
}

function toNode(value: unknown): SyntaxNode {
  if (!isNode(value)) throw new Error('this is no syntax tree');
  return value;
}
