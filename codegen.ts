import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { preset } from '@graphql-codegen/client-preset';
import { codegen } from '@graphql-codegen/core';
import { buildASTSchema, parse, Source } from 'graphql';

const OUTPUT = 'test/gql/';
const SOURCES = 'test/**/*.ts';
const OPERATION = /\bgraphql\(\s*`([^`]+)`/g;

// Makes the typed documents of the tests in test/gql/: every graphql(`…`) gets the types of its variables and result.
const schema = parse(readFileSync('schema.graphql', 'utf8'));
const documents = [];
for await (const file of glob(SOURCES)) {
  if (file.startsWith(OUTPUT)) continue;
  for (const [, text = ''] of readFileSync(file, 'utf8').matchAll(OPERATION)) {
    documents.push({ location: file, document: parse(new Source(text, file)), rawSDL: text });
  }
}
const outputs = await preset.buildGeneratesSection({
  baseOutputDir: OUTPUT,
  schema,
  schemaAst: buildASTSchema(schema, { assumeValidSDL: true }),
  documents,
  config: {
    enumsAsTypes: true,
    useTypeImports: true,
    importExtension: '.ts',
    scalars: { DateTime: 'string', EmailAddress: 'string', JWT: 'string', JSONObject: 'Record<string, unknown>' },
  },
  presetConfig: { fragmentMasking: false },
  plugins: [],
  pluginMap: {},
  pluginContext: {},
});
rmSync(OUTPUT, { recursive: true, force: true });
mkdirSync(OUTPUT, { recursive: true });
for (const output of outputs) writeFileSync(output.filename, await codegen(output));
