import { GraphQLError } from 'graphql';
import type { GraphQLParams, Plugin } from 'graphql-yoga';

const NAMES: ReadonlySet<string> = new Set(['query', 'variables', 'operationName', 'extensions']);

/**
 * Reads the operation from the query of a GET or the body of a POST. Yoga's own readers take malformed JSON in a URL for
 * a fault of the service, and a body with `status` and `headers` in it for an answer to be sent.
 */
export const readParameters: Plugin = {
  onRequestParse({ request, setRequestParser }) {
    if (request.method === 'GET') setRequestParser(({ url }) => parametersOfUrl(new URL(url)));
    if (request.method === 'POST') setRequestParser(async (post) => parametersOfBody(await textOf(post)));
  },
};

/** A body that is too large fails with an error of the API; any other failure is a client that left. */
async function textOf(request: Request): Promise<string> {
  try {
    return await request.text();
  } catch (error) {
    throw error instanceof GraphQLError ? error : refused('The body did not come to its end.');
  }
}

function parametersOfUrl({ searchParams }: URL): GraphQLParams {
  const json = (name: string) => parseJson(searchParams.get(name) || 'null');
  return checked({
    query: searchParams.get('query'),
    operationName: searchParams.get('operationName') || null,
    variables: json('variables'),
    extensions: json('extensions'),
  });
}

function parametersOfBody(text: string): GraphQLParams {
  const body = parseJson(text);
  if (!isObject(body)) throw refused('The body must be one JSON object: an operation.');
  const unknown = Object.keys(body).find((name) => !NAMES.has(name) && body[name] !== null);
  if (unknown !== undefined) throw refused(`The body has an unknown parameter: ${JSON.stringify(unknown)}.`);
  const { query = null, operationName = null, variables = null, extensions = null } = body;
  return checked({ query, operationName, variables, extensions });
}

/** Nothing here reads extensions, so they are let through as far as this. */
function checked({ query, operationName, variables, extensions }: Record<string, unknown>): GraphQLParams {
  if (typeof query !== 'string' || query === '') throw refused('"query" must be the text of an operation.');
  if (operationName !== null && typeof operationName !== 'string') throw refused('"operationName" must be a string.');
  if (variables !== null && !isObject(variables)) throw refused('"variables" must be a JSON object.');
  if (extensions !== null && !isObject(extensions)) throw refused('"extensions" must be a JSON object.');
  return { query, variables: variables ?? {}, ...(operationName !== null && { operationName }) };
}

/** Undefined, which no JSON means, for what is none. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refused(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } } });
}
