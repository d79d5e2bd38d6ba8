import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graphql } from '../gql/gql.ts';
import { createPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { type BrowserFetch, createBrowserFetch } from './browser-fetch.ts';

/** What somebody who writes an application makes of a client library, following the example. */
export interface Application {
  /** Null when somebody is signed in now, else why not. */
  login(email: string, password: string): Promise<{ readonly code: string } | null>;
  logout(): Promise<void>;
  /** The result, or what the code of the refusal or the network says. Past every cache. */
  ask<Result>(query: TypedDocumentNode<Result, Record<string, never>>): Promise<Result | string | undefined>;
}

export interface ApplicationOptions {
  readonly url: string;
  readonly refreshTokenTransport: 'BODY' | 'COOKIE';
  readonly fetch: typeof globalThis.fetch;
}

const Header = graphql(`
  query Header {
    me {
      id
      email
    }
  }
`);

const Profile = graphql(`
  query Profile {
    me {
      id
      email
      firstName
    }
  }
`);

const Devices = graphql(`
  query Devices {
    me {
      id
      email
      sessions {
        id
        current
      }
    }
  }
`);

const LogoutEverywhere = graphql(`
  mutation LogoutOfApplications {
    logoutEverywhere {
      revokedSessions
    }
  }
`);

/** What a person with this application sees, with either way for the refresh token to travel. */
export function describeApplication(open: (options: ApplicationOptions) => Application): void {
  let service: TestService;

  beforeAll(async () => {
    service = await startTestService();
  });

  afterAll(() => service.close());

  describe.each(['BODY', 'COOKIE'] as const)('with the refresh token in the %s', (refreshTokenTransport) => {
    it('says why when the password is wrong', async () => {
      const { person, application } = await visit();
      expect(await application.login(person.email, 'not the password of it')).toMatchObject({
        code: 'INVALID_CREDENTIALS',
      });
      expect(await application.ask(Header)).toBe('UNAUTHENTICATED');
    });

    it('refreshes once when the access token has expired, however many queries were refused, and repeats them', async () => {
      const { person, application, browser } = await signedIn();
      service.clock.advanceSeconds(service.app.config.accessTokenTtlSeconds);

      const results = await Promise.all([application.ask(Header), application.ask(Profile), application.ask(Devices)]);

      expect(results).toMatchObject([
        { me: { email: person.email } },
        { me: { email: person.email, firstName: 'Emmy' } },
        { me: { email: person.email, sessions: [{ current: true }] } },
      ]);
      expect(refreshes(browser)).toBe(1);
      expect(await rotations(person.id)).toBe(1);
    });

    it('does not refresh again for a query whose refusal comes late', async () => {
      const { person, application, browser } = await signedIn();
      service.clock.advanceSeconds(service.app.config.accessTokenTtlSeconds);
      const slow = browser.holdAnswerTo('Profile');
      const profile = application.ask(Profile);

      expect(await application.ask(Header)).toMatchObject({ me: { email: person.email } });
      slow.letGo();

      expect(await profile).toMatchObject({ me: { email: person.email, firstName: 'Emmy' } });
      expect(refreshes(browser)).toBe(1);
    });

    it('stays alive for as long as it is used', async () => {
      const { person, application } = await signedIn();
      for (let hours = 0; hours < 24; hours += 2) {
        service.clock.advanceSeconds(service.app.config.accessTokenTtlSeconds);
        expect(await application.ask(Header)).toMatchObject({ me: { email: person.email } });
      }
      expect(await rotations(person.id)).toBe(12);
    });

    it('survives that the answer to a refresh is lost', async () => {
      const { person, application, browser } = await signedIn();
      service.clock.advanceSeconds(service.app.config.accessTokenTtlSeconds);
      browser.loseAnswerTo('RefreshToken');

      expect(await application.ask(Header)).not.toHaveProperty('me');
      expect(await application.ask(Header)).toMatchObject({ me: { email: person.email } });
      expect(await rotations(person.id)).toBe(1);
    });

    it('asks as nobody after the logout, and tries no refresh', async () => {
      const { person, application, browser } = await signedIn();
      await application.logout();

      expect(await application.ask(Header)).toBe('UNAUTHENTICATED');
      expect(browser.asked.slice(-2)).toEqual(['Logout', 'Header']);
      expect(refreshes(browser)).toBe(0);
      expect(await service.app.db.session.count({ where: { userId: person.id, revokedAt: null } })).toBe(0);
    });

    it('asks as nobody once its session was ended elsewhere', async () => {
      const { person, application, browser } = await signedIn();
      const { accessToken } = await signIn(service, person);
      await service.execute(LogoutEverywhere, {}, { accessToken });

      expect(await application.ask(Header)).toBe('UNAUTHENTICATED');
      expect(await application.ask(Header)).toBe('UNAUTHENTICATED');
      expect(refreshes(browser)).toBe(1);
    });

    it('is there for the next person to sign in', async () => {
      const { application } = await signedIn();
      await application.logout();
      const { user, password } = await createPerson(service);

      expect(await application.login(user.email, password)).toBeNull();
      expect(await application.ask(Header)).toMatchObject({ me: { email: user.email } });
    });

    if (refreshTokenTransport === 'COOKIE') {
      it('finds its session again after a reload', async () => {
        const { person, browser, reload } = await signedIn();
        const reloaded = reload();

        const results = await Promise.all([reloaded.ask(Header), reloaded.ask(Profile)]);

        expect(results).toMatchObject([{ me: { email: person.email } }, { me: { email: person.email } }]);
        expect(refreshes(browser)).toBe(1);
      });
    }

    async function visit() {
      const { user, password } = await createPerson(service);
      const browser = createBrowserFetch();
      const reload = () => open({ url: `${service.url}/graphql`, refreshTokenTransport, fetch: browser.fetch });
      const person = { id: user.id, email: user.email, password };
      return { person, browser, reload, application: reload() };
    }

    async function signedIn() {
      const visitor = await visit();
      expect(await visitor.application.login(visitor.person.email, visitor.person.password)).toBeNull();
      return visitor;
    }
  });

  /** How often the session of somebody with one session got new tokens, as the service counts. */
  async function rotations(userId: string): Promise<number> {
    return (await service.app.db.session.findFirstOrThrow({ where: { userId } })).generation;
  }
}

function refreshes({ asked }: BrowserFetch): number {
  return asked.filter((operationName) => operationName === 'RefreshToken').length;
}
