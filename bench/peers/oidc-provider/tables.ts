/** One for everything that the provider remembers, and one for its people. */
export const TABLES = `
  CREATE TABLE models (
    model text NOT NULL,
    id text NOT NULL,
    grant_id text,
    uid text,
    user_code text,
    payload jsonb NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (model, id)
  );
  CREATE INDEX ON models (grant_id) WHERE grant_id IS NOT NULL;
  CREATE INDEX ON models (uid) WHERE uid IS NOT NULL;
  CREATE INDEX ON models (user_code) WHERE user_code IS NOT NULL;
  CREATE TABLE accounts (id uuid PRIMARY KEY, email text NOT NULL UNIQUE, name text NOT NULL)`;
