import type { Adapter, AdapterPayload } from 'oidc-provider';
import type pg from 'pg';

/** Of each model; every operation is one statement, prepared under its name. */
export function postgresAdapter(pool: pg.Pool): (model: string) => Adapter {
  return (model) => ({
    async upsert(id, payload, expiresIn) {
      const { grantId = null, uid = null, userCode = null } = payload;
      const values = [model, id, grantId, uid, userCode, JSON.stringify(payload), expiresIn ?? null];
      await pool.query({ name: 'upsert', text: UPSERT, values });
    },
    find: (id) => findBy(pool, 'find', `${SELECT} AND id = $2`, [model, id]),
    findByUid: (uid) => findBy(pool, 'find_by_uid', `${SELECT} AND uid = $2`, [model, uid]),
    findByUserCode: (code) => findBy(pool, 'find_by_user_code', `${SELECT} AND user_code = $2`, [model, code]),
    async consume(id) {
      await pool.query({ name: 'consume', text: CONSUME, values: [model, id] });
    },
    async destroy(id) {
      await pool.query({ name: 'destroy', text: DESTROY, values: [model, id] });
    },
    async revokeByGrantId(grantId) {
      await pool.query({ name: 'revoke', text: REVOKE, values: [grantId] });
    },
  });
}

async function findBy(pool: pg.Pool, name: string, text: string, values: readonly string[]) {
  const { rows } = await pool.query<{ payload: AdapterPayload }>({ name, text, values: [...values] });
  return rows[0]?.payload;
}

const UPSERT = `
  INSERT INTO models (model, id, grant_id, uid, user_code, payload, expires_at)
  VALUES ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 second')
  ON CONFLICT (model, id) DO UPDATE SET grant_id = excluded.grant_id, uid = excluded.uid,
    user_code = excluded.user_code, payload = excluded.payload, expires_at = excluded.expires_at`;

const SELECT = 'SELECT payload FROM models WHERE model = $1 AND (expires_at IS NULL OR expires_at > now())';

const CONSUME = `
  UPDATE models SET payload = payload || jsonb_build_object('consumed', extract(epoch FROM now())::bigint)
  WHERE model = $1 AND id = $2`;

const DESTROY = 'DELETE FROM models WHERE model = $1 AND id = $2';

const REVOKE = 'DELETE FROM models WHERE grant_id = $1';
