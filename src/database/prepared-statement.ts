import type pg from 'pg';
import type { Database } from './client.ts';
import { Prisma } from './generated/client.ts';

/** A statement that is run again and again, with other values each time. Throws what `pg` throws. */
export type PreparedStatement<Values, Row> = (
  database: Pick<Database, 'pool'>,
  values: Values,
) => Promise<readonly Row[]>;

/**
 * A statement that nearly every request makes. Its text is made once, and each connection parses it once and keeps it under
 * `name`, and its plan from the sixth time on: planning the look-up of a session takes longer than running it. So one name
 * stands for one text, for good. Where plans for the values at hand look cheaper to PostgreSQL, it goes on making them, which
 * `test/database/kept-plans.test.ts` is there to notice.
 *
 * Outside of transactions, which have a connection of their own. A connection pooler in between has to work in session
 * mode.
 *
 * @param compose is given a placeholder for each value, by name (there is no rest of them to take), and called once; a value
 *   is sent once, however often its placeholder stands in the text
 */
export function preparedStatement<Values extends object, Row extends pg.QueryResultRow>(
  name: string,
  compose: (values: { readonly [Name in keyof Values]: Prisma.Sql }) => Prisma.Sql,
): PreparedStatement<Values, Row> {
  const places = new Proxy({}, { get: (_target, value) => Prisma.sql`${new Place(value)}` });
  const { strings, values } = compose(places as { readonly [Name in keyof Values]: Prisma.Sql });
  const named = values.map((value) => {
    if (value instanceof Place) return value.name as keyof Values;
    throw new Error(`${name} has a value in its text`);
  });
  const sent = [...new Set(named)];
  const numbers = named.map((value) => `$${sent.indexOf(value) + 1}`);
  const text = strings.map((string, index) => string + (numbers[index] ?? '')).join('');
  return async ({ pool }, given) => {
    const { rows } = await pool.query<Row>({ name, text, values: sent.map((value) => given[value]) });
    return rows;
  };
}

/** Where a value stands in a text. */
class Place {
  readonly name: PropertyKey;

  constructor(name: PropertyKey) {
    this.name = name;
  }
}
