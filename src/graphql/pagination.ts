import type { ObjectRef } from '@pothos/core';
import { queryFromInfo } from '@pothos/plugin-prisma';
import { GraphQLError, type GraphQLResolveInfo } from 'graphql';
import type { FieldProblem } from '../errors.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';

const DEFAULT_LIMIT = 20;
export const MAX_LIMIT = 100;

/** A stretch of a list. */
export interface PageArguments {
  readonly offset: number;
  readonly limit: number;
}

/** What a page type is made from. The count is asked for only when a client selects it. */
export interface Page<Item> extends PageArguments {
  readonly items: readonly Item[];
  readonly hasNextPage: boolean;
  readonly countAll: () => Promise<number>;
}

interface Stretch {
  readonly skip: number;
  readonly take: number;
}

interface PageSource<Row> {
  /** Up to `take` rows after the first `skip`, in a fixed order. */
  readonly find: (stretch: Stretch) => Promise<Row[]>;
  readonly count: () => Promise<number>;
  /** For lists that grow long. */
  readonly far?: FarRows<Row>;
}

interface Identified {
  readonly id: string;
}

/** The same rows in two steps, of which the first reads nothing that is not in the index of the order. */
interface FarRows<Row> {
  readonly findIds: (stretch: Stretch) => Promise<readonly Identified[]>;
  /** In any order; without those that are gone since. */
  readonly findRows: (ids: string[]) => Promise<readonly Row[]>;
}

/** From here on it costs less to pass over an index and to look the rows up than to read all that are passed over. */
const FAR = 1000;

/**
 * One page. It reads one row more than asked for instead of counting, to know whether there is a next one.
 *
 * @throws GraphQLError BAD_USER_INPUT for a limit outside 1 to 100 or a negative offset: refused, never clamped
 */
export async function readPage<Row extends Identified>(
  { offset, limit }: PageArguments,
  source: PageSource<Row>,
): Promise<Page<Row>> {
  refuseBadInput([
    ...(offset >= 0 ? [] : [problem(['offset'], 'TOO_SMALL', 'The offset must be 0 or more.')]),
    ...(limit >= 1 ? [] : [problem(['limit'], 'TOO_SMALL', 'The limit must be 1 or more.')]),
    ...(limit <= MAX_LIMIT ? [] : [problem(['limit'], 'TOO_LARGE', `The limit must be ${MAX_LIMIT} or less.`)]),
  ]);
  const stretch = { skip: offset, take: limit + 1 };
  if (source.far !== undefined && offset >= FAR) {
    const found = await source.far.findIds(stretch);
    const items = await rowsInOrder(source.far, found.slice(0, limit));
    return { offset, limit, items, hasNextPage: found.length > limit, countAll: source.count };
  }
  const rows = await source.find(stretch);
  return { offset, limit, items: rows.slice(0, limit), hasNextPage: rows.length > limit, countAll: source.count };
}

async function rowsInOrder<Row extends Identified>(
  { findRows }: FarRows<Row>,
  found: readonly Identified[],
): Promise<readonly Row[]> {
  const rows = new Map((await findRows(found.map(({ id }) => id))).map((row) => [row.id, row]));
  return found.flatMap(({ id }) => rows.get(id) ?? []);
}

/**
 * For `find`: what the operation asks of the items besides their own columns. Read with the page; otherwise all of its
 * rows would be read a second time, and the whole list fail if one of them is deleted in between.
 */
export function selectedRelations(context: Context, info: GraphQLResolveInfo) {
  const { include } = queryFromInfo({ context, info, path: ['items'] });
  return include && { include };
}

/** For lists, whose bad arguments have no union to be answered in. */
export function refuseBadInput(fields: readonly FieldProblem[]): void {
  if (fields.length === 0) return;
  throw new GraphQLError(fields.map(({ message }) => message).join(' '), {
    extensions: { code: 'BAD_USER_INPUT', fields },
  });
}

/**
 * The texts of a filter can be compared with what the database keeps.
 *
 * @throws GraphQLError BAD_USER_INPUT for U+0000 and halves of characters
 */
export function refuseUnstorable(path: readonly string[], filter: object): void {
  const isUnstorable = (value: unknown) =>
    typeof value === 'string' && (value.includes('\u0000') || !value.isWellFormed());
  refuseBadInput(
    Object.entries(filter).flatMap(([name, value]) =>
      isUnstorable(value) ? problem([...path, name], 'INVALID_CHARACTERS', `"${name}" holds no proper text.`) : [],
    ),
  );
}

function problem(path: readonly string[], code: string, message: string): FieldProblem {
  return { path, code, message };
}

/** The arguments of every list. */
export const pageArguments = builder.args((t) => ({
  offset: t.int({ required: true, defaultValue: 0, description: 'How many to pass over: 0 or more.' }),
  limit: t.int({ required: true, defaultValue: DEFAULT_LIMIT, description: 'How many at most: 1 to 100.' }),
}));

export const SortDirectionEnum = builder.enumType('SortDirection', {
  description: 'Which way a list is sorted.',
  values: {
    ASC: { description: 'Smallest or oldest first.' },
    DESC: { description: 'Largest or newest first.' },
  } as const,
});

/** The type of one page of these items, such as `UserPage`. */
export function pageType<Item>(
  name: string,
  itemsDescription: string,
  item: ObjectRef<typeof builder.$inferSchemaTypes, Item>,
) {
  return builder.objectRef<Page<Item>>(name).implement({
    description: 'One page of a list.',
    fields: (t) => ({
      items: t.field({
        type: [item],
        description: itemsDescription,
        resolve: (page) => [...page.items],
      }),
      totalCount: t.int({
        description: 'How many there are in all. Counted only when it is asked for.',
        resolve: (page) => page.countAll(),
      }),
      offset: t.exposeInt('offset', { description: 'How many were passed over.' }),
      limit: t.exposeInt('limit', { description: 'How many were asked for.' }),
      hasNextPage: t.exposeBoolean('hasNextPage', { description: 'Whether there are more after these.' }),
      hasPreviousPage: t.boolean({
        description: 'Whether there are some before these.',
        resolve: (page) => page.offset > 0,
      }),
    }),
  });
}
