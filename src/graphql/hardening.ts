import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth';
import { maxDirectivesRule } from '@escape.tech/graphql-armor-max-directives';
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  NoSchemaIntrospectionCustomRule,
  type ParseOptions,
  parse,
  type Source,
  specifiedRules,
  type ValidationRule,
  validate,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { listCost } from './list-cost.ts';
import { oncePerOperation } from './once-per-operation.ts';
import { repeatedFields } from './repeated-fields.ts';

const MAX_TOKENS = 1000;
const MAX_DEPTH = 10;
const MAX_ALIASES = 15;
const MAX_DIRECTIVES = 50;
const MAX_REPETITIONS = 50;
const MAX_COST = 10_000;
/** Nobody mends more at once, and finding what was meant instead takes long. */
const MAX_TOLD_ERRORS = 5;

interface Options {
  readonly introspection: boolean;
}

/**
 * What an operation may weigh, checked before anything of it runs. GraphiQL's introspection passes the depth, since a
 * rule of graphql-js bounds introspection by itself.
 */
export function hardening(options: Options): Plugin {
  const rules = rulesOf(options);
  return {
    onParse({ setParseFn }) {
      setParseFn(parseBounded);
    },
    onValidate({ addValidationRule, setValidationFn }) {
      for (const rule of rules) addValidationRule(rule);
      setValidationFn(validateBounded);
    },
    onExecute({ args, setResultAndStopExecution }) {
      const cost = listCost(args);
      if (cost > MAX_COST) {
        const message = `This asks for up to ${cost} objects, and one operation may ask for ${MAX_COST}: take a smaller limit.`;
        setResultAndStopExecution({ errors: [new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })] });
      }
    },
  };
}

/**
 * The document, when it would be run as it stands.
 *
 * @throws GraphQLError with the first thing that is wrong with it
 */
export function parseAndValidate(schema: GraphQLSchema, text: string, options: Options): DocumentNode {
  const document = parseBounded(text);
  const [error] = validateBounded(schema, document, [...specifiedRules, ...rulesOf(options)]);
  if (error !== undefined) throw error;
  return document;
}

function rulesOf({ introspection }: Options): readonly ValidationRule[] {
  return [
    repeatedFields(MAX_REPETITIONS),
    maxDepthRule({ n: MAX_DEPTH, flattenFragments: true }),
    // Not even of __typename: what costs nothing once is an answer of a hundred lines.
    maxAliasesRule({ n: MAX_ALIASES, allowList: [] }),
    maxDirectivesRule({ n: MAX_DIRECTIVES }),
    oncePerOperation,
    ...(introspection ? [] : [NoSchemaIntrospectionCustomRule]),
  ];
}

function parseBounded(source: string | Source, options?: ParseOptions): DocumentNode {
  return parse(source, { ...options, maxTokens: MAX_TOKENS });
}

function validateBounded(schema: GraphQLSchema, document: DocumentNode, rules: readonly ValidationRule[]) {
  return validate(schema, document, rules, { maxErrors: MAX_TOLD_ERRORS });
}
