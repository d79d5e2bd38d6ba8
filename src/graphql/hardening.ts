import { maxAliasesPlugin } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthPlugin } from '@escape.tech/graphql-armor-max-depth';
import { maxDirectivesPlugin } from '@escape.tech/graphql-armor-max-directives';
import { NoSchemaIntrospectionCustomRule, parse } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { oncePerOperation } from './once-per-operation.ts';

const MAX_TOKENS = 1000;
const MAX_DEPTH = 10;
const MAX_ALIASES = 15;
const MAX_DIRECTIVES = 50;

/**
 * What an operation may weigh, checked before anything of it runs. GraphiQL's introspection passes the depth, since a
 * rule of graphql-js bounds introspection by itself.
 */
export function hardening({ introspection }: { readonly introspection: boolean }): readonly Plugin[] {
  return [
    maxTokens(MAX_TOKENS),
    maxDepthPlugin({ n: MAX_DEPTH, flattenFragments: true }),
    maxAliasesPlugin({ n: MAX_ALIASES }),
    maxDirectivesPlugin({ n: MAX_DIRECTIVES }),
    {
      onValidate({ addValidationRule }) {
        addValidationRule(oncePerOperation);
        if (!introspection) addValidationRule(NoSchemaIntrospectionCustomRule);
      },
    },
  ];
}

function maxTokens(limit: number): Plugin {
  return {
    onParse({ setParseFn }) {
      setParseFn((source, options) => parse(source, { ...options, maxTokens: limit }));
    },
  };
}
