import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn } from '../../support/people.ts';
import { cliScript, type Environment, run, temporaryDirectory } from '../../support/process.ts';
import { startTestService, type TestService, testEnvironment } from '../../support/service.ts';

const bcryptHash = '$2a$05$c92SVSfjeiCD6F2nAD6y0uBpJDjdRkt0EgeC4/31Rf2LUZbDRDE.O';
const bcryptPassword = 'U*U*U*U*';
const djangoHash = 'pbkdf2_sha256$10000$kjVJaVz6qsnJ$5yPHw3rwJGECpUf70daLGhOrQ5+AMxIJdz1c3bqK1Rs=';

let service: TestService;
let environment: Environment;
beforeAll(async () => {
  service = await startTestService();
  environment = { ...testEnvironment, DATABASE_URL: service.app.config.databaseUrl ?? '' };
});
afterAll(() => service.close());

function importUsers(lines: readonly unknown[], ...options: readonly string[]) {
  const file = join(temporaryDirectory(), 'users.jsonl');
  writeFileSync(file, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'));
  return run(cliScript, ['import-users', file, ...options], { environment });
}

function storedUsers(domain: string) {
  return service.app.db.user.findMany({
    where: { email: { endsWith: `@${domain}` } },
    include: { roles: { include: { role: true }, orderBy: { role: { name: 'asc' } } } },
    orderBy: { email: 'asc' },
  });
}

/** How many rows PostgreSQL believes to be there. */
async function plannedFor(table: string): Promise<number | undefined> {
  const rows = await service.app.db.$queryRaw<{ reltuples: number }[]>`
    SELECT reltuples FROM pg_class WHERE oid = ${table}::regclass`;
  return rows[0]?.reltuples;
}

function person(email: string, more: object = {}) {
  return { email, firstName: 'Emmy', lastName: 'Noether', ...more };
}

describe('latchkey import-users', () => {
  it('brings users along with hashes, roles, state and age, on record; run again, it leaves them alone', async () => {
    const lines = [
      person('A@First.Example', { passwordHash: bcryptHash, emailVerified: true, roles: ['Admin'] }),
      '',
      person('b@first.example', {
        status: 'PENDING',
        passwordHash: djangoHash,
        createdAt: '2019-03-04T05:06:07.089+01:00',
      }),
      `  ${JSON.stringify(person('c@first.example', { status: 'REVOKED', locale: 'DE', passwordHash: null, roles: ['user'] }))}\r`,
    ];

    expect(await importUsers(lines, '--dry-run')).toEqual({
      code: 0,
      signal: null,
      stdout: 'would import 3, skipped 0 (0 existing, 0 wrong)\n',
      stderr: '',
    });
    expect(await storedUsers('first.example')).toEqual([]);

    expect(await importUsers(lines)).toEqual({
      code: 0,
      signal: null,
      stdout: 'imported 3, skipped 0 (0 existing, 0 wrong)\n',
      stderr: '',
    });
    const [a, b, c, ...others] = await storedUsers('first.example');
    expect(others).toEqual([]);
    expect(a).toMatchObject({
      email: 'a@first.example',
      firstName: 'Emmy',
      lastName: 'Noether',
      status: 'ACTIVE',
      emailVerified: true,
      passwordHash: bcryptHash,
    });
    expect(a?.roles.map(({ role }) => role.name)).toEqual(['admin', 'user']);
    expect(b).toMatchObject({ status: 'PENDING', locale: null, emailVerified: false, passwordHash: djangoHash });
    expect(b?.createdAt).toEqual(new Date('2019-03-04T04:06:07.089Z'));
    expect(b?.roles.map(({ role }) => role.name)).toEqual(['user']);
    expect(c).toMatchObject({ status: 'REVOKED', passwordHash: null, locale: 'de' });

    const events = await service.app.db.auditEvent.findMany({
      where: { type: 'user.imported' },
      orderBy: { email: 'asc' },
    });
    expect(events.map(({ actorId, subjectId, email, data }) => ({ actorId, subjectId, email, data }))).toEqual([
      {
        actorId: null,
        subjectId: a?.id,
        email: 'a@first.example',
        data: { status: 'ACTIVE', emailVerified: true, roles: ['Admin'], hasPassword: true },
      },
      expect.objectContaining({ subjectId: b?.id }),
      expect.objectContaining({ subjectId: c?.id }),
    ]);
    expect(JSON.stringify(events)).not.toContain('$');

    expect(await signIn(service, { email: 'a@first.example', password: bcryptPassword })).toMatchObject({
      userId: a?.id,
    });
    expect(await plannedFor('users')).toBe(await service.app.db.user.count());
    expect(await plannedFor('user_roles')).toBe(await service.app.db.userRole.count());

    const again = await importUsers(lines);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(again.stdout).toBe(
      [
        'line 1: There is an account with this e-mail address already.',
        'line 3: There is an account with this e-mail address already.',
        'line 4: There is an account with this e-mail address already.',
        'imported 0, skipped 3 (3 existing, 0 wrong)',
        '',
      ].join('\n'),
    );
  });

  it('does not wait for who has the tables locked for maintenance', async () => {
    const maintenance = await service.app.database.pool.connect();
    await maintenance.query('BEGIN');
    await maintenance.query('LOCK TABLE users, user_roles IN SHARE UPDATE EXCLUSIVE MODE');
    try {
      expect(await importUsers([person('a@locked.example')])).toMatchObject({
        code: 0,
        stdout: 'imported 1, skipped 0 (0 existing, 0 wrong)\n',
      });
    } finally {
      await maintenance.query('ROLLBACK');
      maintenance.release();
    }
    expect(await storedUsers('locked.example')).toHaveLength(1);
  });

  it('imports what is right, says what is wrong by line, repeats no value, and fails', async () => {
    const lines = [
      person('good@second.example'),
      '{"email":"cut-off@second.example"',
      '[]',
      person('nobody'),
      person('x1@second.example', { firstName: null }),
      person('x2@second.example', { lastName: 'N\u0000' }),
      person('x3@second.example', { passwordHash: 'sha1$seasalt$cff36ea83f5706ce9aa7454e63e431fc726b2dc8' }),
      person('x4@second.example', { roles: ['user', 'pope'] }),
      person('x5@second.example', { status: 'ASLEEP' }),
      person('x6@second.example', { emailVerified: 'yes' }),
      person('x7@second.example', { createdAt: 'yesterday' }),
      person('x8@second.example', { password_hash: bcryptHash }),
      person('x9@second.example', { firstName: 'E'.repeat(101) }),
      person('x10@second.example', { remark: 'r'.repeat(70_000) }),
      person('GOOD@second.example'),
      person('late@second.example'),
    ];
    for (const [options, verb] of [
      [['--dry-run'], 'would import'],
      [[], 'imported'],
    ] as const) {
      const { code, stdout, stderr } = await importUsers(lines, ...options);
      expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
      expect(stdout.split('\n')).toEqual([
        'line 2: This is not JSON.',
        expect.stringMatching(/^line 3: .*expected object/),
        'line 4: email: This is no e-mail address that mail can be sent to.',
        'line 5: firstName: This must not be null.',
        'line 6: lastName: Line breaks and control characters are not allowed.',
        'line 7: passwordHash: This is a hash of no known form.',
        'line 8: there is no role "pope"',
        expect.stringMatching(/^line 9: status: .*PENDING.*ACTIVE.*REVOKED/),
        expect.stringMatching(/^line 10: emailVerified: .*expected boolean/),
        expect.stringMatching(/^line 11: createdAt: Invalid/),
        expect.stringMatching(/^line 12: .*password_hash/),
        'line 13: firstName: At most 100 characters.',
        'line 14: This is not UTF-8, or longer than 65536 bytes.',
        'line 15: There is an account with this e-mail address already.',
        `${verb} 2, skipped 14 (1 existing, 13 wrong)`,
        '',
      ]);
      expect(stdout).not.toMatch(/ASLEEP|seasalt|yesterday/);
    }
    const emails = (await storedUsers('second.example')).map(({ email }) => email);
    expect(emails).toEqual(['good@second.example', 'late@second.example']);
  });

  it('reads standard input', async () => {
    const input = `${JSON.stringify(person('a@third.example'))}\n${JSON.stringify(person('b@third.example'))}\n`;
    expect(await run(cliScript, ['import-users', '-'], { environment, input })).toMatchObject({
      code: 0,
      stdout: 'imported 2, skipped 0 (0 existing, 0 wrong)\n',
    });
    expect(await storedUsers('third.example')).toHaveLength(2);
  });

  it('makes each user once when two run at the same time', async () => {
    const lines = Array.from({ length: 40 }, (_, index) => person(`u${index}@fourth.example`));
    const exits = await Promise.all([importUsers(lines), importUsers(lines)]);
    expect(exits.map(({ code }) => code)).toEqual([0, 0]);
    const imported = exits.map(({ stdout }) => Number(/^imported (\d+)/m.exec(stdout)?.[1]));
    expect(imported.reduce((sum, count) => sum + count)).toBe(40);
    const users = await storedUsers('fourth.example');
    expect(users.map(({ roles }) => roles.length)).toEqual(users.map(() => 1));
    expect(users).toHaveLength(40);
  });

  it('says in one line that there is no such file', async () => {
    const { code, stdout, stderr } = await run(cliScript, ['import-users', 'nowhere.jsonl'], { environment });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^ENOENT: .*nowhere\.jsonl'\n$/);
  });
});
