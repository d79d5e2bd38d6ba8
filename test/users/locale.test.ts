import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { graphql } from '../gql/gql.ts';
import { mailsTo } from '../mailbox/reading.ts';
import { Register, registrant, requestVerification } from '../registration/operations.ts';
import { faultsOf } from '../sessions/operations.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { CreateUser, invalid, UpdateMe, UpdateUser } from './operations.ts';
import { createAdministrator, eventsAbout, type Staff, signedIn } from './staff.ts';

const UserLocale = graphql(`
  query LocaleOfUser($id: ID!) {
    user(id: $id) {
      locale
    }
  }
`);

let service: TestService;
let admin: Staff;

beforeAll(async () => {
  service = await startTestService();
  admin = await createAdministrator(service);
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

async function localeOf(id: string): Promise<string | null | undefined> {
  const { data, errors } = await service.execute(UserLocale, { id }, admin.as);
  expect(errors).toEqual([]);
  return data?.user?.locale;
}

async function create(email: string, locale?: string | null) {
  const input = { email, firstName: 'Emmy', lastName: 'Noether', ...(locale !== undefined && { locale }) };
  return (await service.execute(CreateUser, { input }, admin.as)).data?.createUser;
}

const BAD = [
  '',
  ' de',
  'de_AT',
  'deutsch-sprache-der-schweiz',
  'x',
  '*',
  'de\0',
  'de\r\nBcc: all@latchkey.test',
  `de-${'x'.repeat(40)}`,
  'en-a-bbb-x-a-ccc-ddd-eee-fff-ggg-hhh-iii',
];

describe('the locale of a user', () => {
  it.each([
    ['de', 'de'],
    ['DE-at', 'de-AT'],
    ['zh-hant-tw', 'zh-Hant-TW'],
    ['iw', 'he'],
  ])('is stored in its canonical form: %s as %s', async (locale, canonical) => {
    const result = await create(`${locale}@latchkey.test`, locale);
    if (result?.__typename !== 'UserPayload') throw new Error(JSON.stringify(result));
    expect(await localeOf(result.user.id)).toBe(canonical);
  });

  it.each([undefined, null])('is not there when a user is made with %s', async (locale) => {
    const result = await create(`${locale}@latchkey.test`, locale);
    if (result?.__typename !== 'UserPayload') throw new Error(JSON.stringify(result));
    expect(await localeOf(result.user.id)).toBeNull();
  });

  it.each(BAD)('is refused everywhere and changes nothing: %j', async (locale) => {
    const refused = invalid(['input.locale', 'INVALID_LOCALE']);
    const email = 'refused@latchkey.test';
    expect(await create(email, locale)).toEqual(refused);
    const registration = await service.execute(Register, { input: { ...registrant(email), locale } });
    expect(registration.data?.registerUser).toEqual(refused);
    expect(await service.app.db.user.findUnique({ where: { email } })).toBeNull();
    const me = await signedIn(service, await createPerson(service));
    expect((await service.execute(UpdateMe, { input: { locale } }, me.as)).data?.updateMe).toEqual(refused);
    const input = { id: me.userId, locale, firstName: 'Eve' };
    expect((await service.execute(UpdateUser, { input }, admin.as)).data?.updateUser).toEqual(refused);
    expect(await service.app.db.user.findUnique({ where: { id: me.userId } })).toEqual(
      expect.objectContaining({ locale: null, firstName: 'Emmy' }),
    );
  });

  it('is changed by the person, left alone, and taken away, on record', async () => {
    const me = await signedIn(service, await createPerson(service));
    for (const [input, locale] of [
      [{ locale: 'de-at' }, 'de-AT'],
      [{ firstName: 'Amalie' }, 'de-AT'],
      [{ locale: null }, null],
    ] as const) {
      expect((await service.execute(UpdateMe, { input }, me.as)).data?.updateMe?.__typename).toBe('UserPayload');
      expect(await localeOf(me.userId)).toBe(locale);
    }
    const events = (await eventsAbout(service, me.userId)).filter(({ type }) => type === 'user.updated');
    expect(events.map(({ data }) => data)).toEqual([
      { fields: ['locale'] },
      { fields: ['firstName'] },
      { fields: ['locale'] },
    ]);
  });

  it('is changed and taken away by an administrator', async () => {
    const { user } = await createPerson(service);
    for (const locale of ['de', null]) {
      const { data } = await service.execute(UpdateUser, { input: { id: user.id, locale } }, admin.as);
      expect(data?.updateUser?.__typename).toBe('UserPayload');
      expect(await localeOf(user.id)).toBe(locale);
    }
  });

  it('is the language of the mails to somebody who registers', async () => {
    const email = 'neu@latchkey.test';
    await service.execute(Register, { input: { ...registrant(email), locale: 'de-CH' } });
    await requestVerification(service, email);
    expect((await mailsTo(service, email)).map(({ subject }) => subject)).toEqual([
      'Bitte bestätigen Sie Ihre E-Mail-Adresse',
      'Bitte bestätigen Sie Ihre E-Mail-Adresse',
    ]);
  });
});
