import {
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
} from 'graphql';

/** A field of Query or Mutation, and how to ask for it without knowing it. */
export interface RootField {
  /** Such as `Query.me`. */
  readonly name: string;
  readonly field: GraphQLField<unknown, unknown>;
  /** An operation of this field alone, with a variable for each argument, and the selection, if it takes one. */
  operation(selection?: string): string;
  /** A value for every argument and for every field in it, well-formed and pointing at nothing. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** Where in the variables there is text. */
  readonly textPaths: readonly (readonly string[])[];
}

export function rootFieldsOf(schema: GraphQLSchema): readonly RootField[] {
  return [schema.getQueryType(), schema.getMutationType()].flatMap((type) =>
    Object.values(type?.getFields() ?? {}).map((field) => rootField(`${type}`, field)),
  );
}

function rootField(typeName: string, field: GraphQLField<unknown, unknown>): RootField {
  const variables = Object.fromEntries(field.args.map(({ name, type }) => [name, sampleOf(type)]));
  return {
    name: `${typeName}.${field.name}`,
    field,
    operation(selection = '__typename') {
      const declared = field.args.map(({ name, type }) => `$${name}: ${type}`).join(', ');
      const given = field.args.map(({ name }) => `${name}: $${name}`).join(', ');
      const parenthesized = (text: string) => (text === '' ? '' : `(${text})`);
      const selected = isLeafType(getNamedType(field.type)) ? '' : `{ ${selection} }`;
      return `${typeName.toLowerCase()} Walk${parenthesized(declared)} { ${field.name}${parenthesized(given)} ${selected} }`;
    },
    variables,
    textPaths: field.args.flatMap(({ name, type }) => textPathsOf(type, [name])),
  };
}

const UNKNOWN_ID = '019aab12-3456-7abc-8def-0123456789ab';

const leaves: Readonly<Record<string, unknown>> = {
  String: 'x',
  ID: UNKNOWN_ID,
  Int: 1,
  Float: 1,
  Boolean: true,
  DateTime: '2030-01-01T00:00:00Z',
  JSONObject: {},
  _Any: { __typename: 'User', id: UNKNOWN_ID },
};

function sampleOf(type: GraphQLInputType): unknown {
  if (isNonNullType(type)) return sampleOf(type.ofType);
  if (isListType(type)) return [sampleOf(type.ofType)];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (isInputObjectType(type)) {
    return Object.fromEntries(Object.values(type.getFields()).map((field) => [field.name, sampleOf(field.type)]));
  }
  if (!(type.name in leaves)) throw new Error(`no value is known for the scalar ${type.name}: add one`);
  return leaves[type.name];
}

const TEXT = new Set(['String', 'ID', 'DateTime']);

function textPathsOf(type: GraphQLInputType, path: readonly string[]): readonly (readonly string[])[] {
  if (isNonNullType(type)) return textPathsOf(type.ofType, path);
  if (isListType(type)) return textPathsOf(type.ofType, [...path, '0']);
  if (!isInputObjectType(type)) return TEXT.has(type.name) ? [path] : [];
  return Object.values(type.getFields()).flatMap((field) => textPathsOf(field.type, [...path, field.name]));
}

/** The same, with another value at this place. */
export function replaceAt(value: unknown, [step, ...rest]: readonly string[], replacement: unknown): unknown {
  if (step === undefined) return replacement;
  if (Array.isArray(value))
    return value.map((item, index) => (String(index) === step ? replaceAt(item, rest, replacement) : item));
  if (typeof value !== 'object' || value === null) throw new Error(`there is nothing at ${step}`);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, key === step ? replaceAt(item, rest, replacement) : item]),
  );
}
