import { composeServices as composeByApollo } from '@apollo/composition';
import {
  composeServices as composeByTheGuild,
  composeSchemaContract,
  type ServiceDefinition,
} from '@theguild/federation-composition';
import { buildSchema, type DocumentNode, isObjectType, parse, print } from 'graphql';
import { describe, expect, it } from 'vitest';
import { neighbourSchema } from '../../examples/gateway/neighbour.ts';
import { printSchema, withoutScopes } from '../../src/print-schema.ts';
import { mailingListSchema } from './neighbours.ts';

const latchkey = service('latchkey', parse(printSchema()));
const services = [latchkey, service('posts', neighbourSchema), service('mailing-list', mailingListSchema)];

function service(name: string, typeDefs: DocumentNode): ServiceDefinition & { readonly url: string } {
  return { name, url: `http://${name}.example/graphql`, typeDefs };
}

describe('Latchkey and its neighbours', () => {
  it('are composed by @apollo/composition without an error or a hint', () => {
    const { supergraphSdl, errors, hints } = composeByApollo(services);
    expect(errors).toBeUndefined();
    expect(hints?.map(String)).toEqual([]);
    expect(supergraphSdl).toContain('@requiresScopes(scopes: [["USERS_READ"]])');
  });

  it('are composed by @theguild/federation-composition without an error', () => {
    const { supergraphSdl, errors } = composeByTheGuild(services);
    expect(errors).toBeUndefined();
    expect(supergraphSdl).toContain('@requiresScopes(scopes: [["USERS_READ"]])');
  });

  it('are the same by both: what routers refuse early is refused in either graph', () => {
    const guarded = [composeByApollo(services), composeByTheGuild(services)].map(
      ({ supergraphSdl = '' }) => (supergraphSdl.match(/@(?:authenticated|requiresScopes)\b(?! on)/g) ?? []).length,
    );
    expect(guarded[0]).toBeGreaterThan(20);
    expect(guarded[0]).toBe(guarded[1]);
  });
});

describe('the schema without scopes', () => {
  it('is the same but for them, and makes a graph that @apollo/gateway takes', () => {
    const stripped = withoutScopes(printSchema());
    expect(stripped).not.toMatch(/authenticated|requiresScopes/);
    const lines = (sdl: string) =>
      print(parse(sdl))
        .replaceAll(/ @(?:authenticated|requiresScopes\([^)]*\))/g, '')
        .split('\n');
    const [, , ...body] = lines(stripped);
    const [, , ...original] = lines(printSchema());
    expect(body).toEqual(original);
    const open = [latchkey, service('mailing-list', mailingListSchema)];
    const { supergraphSdl = '' } = composeByApollo(
      open.map((each) => ({ ...each, typeDefs: parse(withoutScopes(print(each.typeDefs))) })),
    );
    expect(supergraphSdl).not.toContain('for: SECURITY');
    expect(supergraphSdl).toContain('@tag(name: "admin")');
  });
});

describe('a contract', () => {
  it('that leaves out what is for administrators is the graph for everybody else', () => {
    const { publicSdl = '', errors } = composeSchemaContract(
      services,
      { include: new Set(), exclude: new Set(['admin']) },
      true,
    );
    expect(errors).toBeUndefined();
    const schema = buildSchema(publicSdl);
    const queries = Object.keys(schema.getQueryType()?.getFields() ?? {});
    expect(queries.toSorted()).toEqual(
      [
        'invitationByToken',
        'isAuthorized',
        'me',
        'passwordResetByToken',
        'posts',
        'subscribers',
        'user',
        'userByEmail',
        'viewer',
      ].toSorted(),
    );
    const mutations = Object.keys(schema.getMutationType()?.getFields() ?? {});
    expect(mutations).toEqual(expect.arrayContaining(['login', 'updateMe', 'logoutEverywhere', 'writePost']));
    expect(
      mutations.filter((name) => /^(?:create|delete|assign|revokeRole|revokeUser|updateUser|activate)/.test(name)),
    ).toEqual([]);
    const user = schema.getType('User');
    expect(isObjectType(user) && Object.keys(user.getFields())).toEqual(
      expect.arrayContaining(['email', 'roles', 'posts']),
    );
    expect(isObjectType(user) && user.getFields().remark).toBeUndefined();
    for (const name of ['UserPage', 'AuditEvent', 'CreateUserInput']) expect(schema.getType(name)).toBeUndefined();
  });
});
