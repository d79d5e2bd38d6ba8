import { isNode, nameOf, nodesIn, type SyntaxNode } from './syntax.ts';

/** By what the one connection, or a second one, is reached from outside of the transaction. */
const OUTSIDE_CLIENTS = /(?:^|\.)(?:db|prisma|pool|database)(?:\.|$)/;

/**
 * What is awaited inside a transaction and is not of it, as source text. On the embedded database there is one
 * connection: a query past the transaction waits for the transaction's own end, and whatever takes time holds up everybody.
 *
 * Inside are the functions given to `$transaction`, which have to be written in place, and those that take a
 * transaction. In them every call that is awaited or returned has to be made on the transaction or to be handed it, and
 * no other client may be named.
 */
export function strangersInTransactions(text: string, syntax: SyntaxNode): readonly string[] {
  return [...nodesIn(syntax)].flatMap((node) => {
    const callback = node.type === 'CallExpression' && isTransactionCall(node) ? argumentsOf(node)[0] : undefined;
    if (node.type === 'CallExpression' && isTransactionCall(node)) {
      return isNode(callback) && isFunction(callback)
        ? strangersIn(callback, parametersOf(callback)[0])
        : [sourceOf(node)];
    }
    return isFunction(node) ? strangersIn(node, parametersOf(node).find(isTransaction)) : [];
  });

  function strangersIn(inside: SyntaxNode, parameter: unknown): readonly string[] {
    const transaction = nameOf(parameter);
    if (transaction === null) return [];
    const { body } = inside;
    if (!isNode(body)) return [];
    const waitedFor = [...nodesIn(body)].flatMap(({ type, argument }) =>
      type === 'AwaitExpression' || type === 'ReturnStatement' ? [argument] : [],
    );
    const calls = [...waitedFor, body].filter((node) => isNode(node) && node.type === 'CallExpression');
    const strangers = calls.filter((node) => isNode(node) && !belongsTo(transaction, node));
    const clients = [...nodesIn(body)].filter((node) => {
      const name = node.type === 'MemberExpression' || node.type === 'Identifier' ? nameOf(node) : null;
      return name !== null && name.split('.')[0] !== transaction && OUTSIDE_CLIENTS.test(name);
    });
    return [...strangers, ...clients].filter(isNode).map(sourceOf);
  }

  function sourceOf({ start, end }: SyntaxNode): string {
    return text.slice(Number(start), Number(end)).replace(/\s+/g, ' ');
  }
}

function isTransactionCall({ callee }: SyntaxNode): boolean {
  return nameOf(callee)?.endsWith('.$transaction') ?? false;
}

function isFunction({ type }: SyntaxNode): boolean {
  return /^(?:ArrowFunctionExpression|FunctionExpression|FunctionDeclaration)$/.test(type);
}

function parametersOf({ params }: SyntaxNode): readonly unknown[] {
  return Array.isArray(params) ? params : [];
}

function argumentsOf({ arguments: given }: SyntaxNode): readonly unknown[] {
  return Array.isArray(given) ? given : [];
}

/** By its type: `Prisma.TransactionClient`, or our name for it. */
function isTransaction(parameter: unknown): boolean {
  if (!isNode(parameter) || !isNode(parameter.typeAnnotation)) return false;
  return [...nodesIn(parameter.typeAnnotation)].some(
    ({ type, name }) => type === 'Identifier' && (name === 'TransactionClient' || name === 'Transaction'),
  );
}

function belongsTo(transaction: string, call: SyntaxNode): boolean {
  const root = rootOf(call.callee);
  const isHanded = argumentsOf(call).some((given) => nameOf(given) === transaction);
  return root === transaction || isHanded;
}

function rootOf(node: unknown): string | null {
  if (!isNode(node)) return null;
  if (node.type === 'MemberExpression') return rootOf(node.object);
  if (node.type === 'CallExpression') return rootOf(node.callee);
  return nameOf(node);
}
