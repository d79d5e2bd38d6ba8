import { SpanKind } from '@opentelemetry/api';
import type pg from 'pg';
import { inSpan, isInSpan } from '../tracing.ts';

/**
 * From here on each statement that is run below a span is a span, named after what it does to which table. Neither its
 * text nor a value is in it. Statements of no request and no job, such as looking for jobs, are none.
 */
export function traceStatements(pool: pg.Pool): void {
  trace(pool);
  pool.on('connect', trace);
}

interface Statement {
  readonly text: string;
  /** Of a prepared one. */
  readonly name?: string;
}

function trace(target: pg.Pool | pg.ClientBase): void {
  const query = Reflect.get(target, 'query');
  Object.defineProperty(target, 'query', {
    configurable: true,
    value: (...given: unknown[]) => {
      const run = () => Reflect.apply(query, target, given);
      // With a callback it is the pool itself that asks, for a statement that has its span already.
      const statement = typeof given.at(-1) === 'function' ? undefined : statementOf(given[0]);
      if (statement === undefined || !isInSpan()) return run();
      const { name, attributes } = describeStatement(statement);
      return inSpan(name, run, {
        kind: SpanKind.CLIENT,
        attributes: { 'db.system.name': 'postgresql', ...attributes },
      });
    },
  });
}

/** Undefined for what is more than a text with values, such as a cursor. */
function statementOf(given: unknown): Statement | undefined {
  if (typeof given === 'string') return { text: given };
  if (typeof given !== 'object' || given === null || 'submit' in given) return undefined;
  if (!('text' in given) || typeof given.text !== 'string') return undefined;
  const { text } = given;
  return 'name' in given && typeof given.name === 'string' ? { text, name: given.name } : { text };
}

const OPERATION = /^\s*([a-z]{1,20})\b/i;
const TABLE = /\b(?:from|into|update|table)\s+(?:only\s+)?(?:"?\w{1,63}"?\.)?"?(\w{1,63})"?/i;

/** By its own name; without one, by what it does and the table it names first. */
export function describeStatement({ text, name }: Statement) {
  const [, verb = 'statement'] = OPERATION.exec(text) ?? [];
  const operation = verb.toUpperCase();
  if (name !== undefined) return { name, attributes: { 'db.operation.name': operation } };
  const [, table] = TABLE.exec(text) ?? [];
  if (table === undefined) return { name: operation, attributes: { 'db.operation.name': operation } };
  return { name: `${operation} ${table}`, attributes: { 'db.operation.name': operation, 'db.collection.name': table } };
}
