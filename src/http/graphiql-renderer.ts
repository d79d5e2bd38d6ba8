import { createHash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { css, editorWorkerService, graphqlWorker, js, jsonWorker } from '@graphql-yoga/render-graphiql/graphiql';
import { firstSession } from '../graphql/graphiql.ts';

/** The page as it goes over the wire, and what a browser is told to let it do. */
export interface GraphiqlPage {
  readonly gzipped: Uint8Array;
  readonly contentSecurityPolicy: string;
}

const workers = `
const blobUrl = (source) => URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
const workers = {
  editorWorkerService: blobUrl(${literal(editorWorkerService)}),
  graphql: blobUrl(${literal(graphqlWorker)}),
  json: blobUrl(${literal(jsonWorker)}),
};
self.MonacoEnvironment = { globalAPI: false, getWorkerUrl: (_module, label) => workers[label] };`;

// GraphiQL would keep what is typed, passwords and tokens among it, in localStorage, and operations in the address bar.
// Here they live as long as the page.
const start = `
const kept = new Map();
const storage = {
  get length() { return kept.size; },
  getItem: (key) => kept.get(key) ?? null,
  setItem: (key, value) => void kept.set(key, value),
  removeItem: (key) => void kept.delete(key),
  clear: () => kept.clear(),
};
const tabs = ${literal(firstSession)};
YogaGraphiQL.renderYogaGraphiQL(document.querySelector('#root'), {
  title: 'Latchkey',
  logo: document.querySelector('#logo').innerHTML,
  defaultTabs: tabs,
  initialQuery: tabs[0].query,
  initialVariables: tabs[0].variables,
  onEditQuery: () => {},
  shouldPersistHeaders: false,
  storage,
});`;

const corrections = `
/* GraphiQL 5 leaves tabs with an old offset, hidden until one has the focus: pressed, a tab would jump away from under
   the pointer, and the click be lost. */
.graphiql-tab { transform: none !important; }

/* Side by side, neither half of a narrow window could be read. */
@media (max-width: 720px) {
  #graphiql-session { flex-direction: column; }
  .graphiql-horizontal-drag-bar, .graphiql-logo { display: none; }
}`;

const logo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" width="32" height="32" fill="none" stroke="#d60590" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"><circle cx="9" cy="16" r="6"/><path d="M15 16h14v5M23 16v4"/></svg>`;

// Runs as a thread of its own: see `graphiql-page.ts`.
parentPort?.postMessage(render());

function render(): GraphiqlPage {
  const script = `${workers}\n${js};\n${start}`;
  return { gzipped: gzipSync(page(script)), contentSecurityPolicy: policy(script) };
}

function page(script: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Latchkey</title>
    <link rel="icon" href="data:image/svg+xml,${encodeURIComponent(logo)}">
    <style>${css}${corrections}</style>
  </head>
  <body>
    <noscript>GraphiQL needs JavaScript. Clients of the API do not: they get their answers at this very address.</noscript>
    <template id="logo">${logo}</template>
    <div id="root"></div>
    <script>${script}</script>
  </body>
</html>
`;
}

/**
 * No script but this one, nothing from elsewhere and nothing to elsewhere. The editor runs its language services from
 * blobs, and writes styles into the page as it goes, which no hash can foresee.
 */
function policy(script: string): string {
  const hash = createHash('sha256').update(script).digest('base64');
  return [
    "default-src 'none'",
    `script-src 'sha256-${hash}'`,
    'worker-src blob:',
    "style-src 'unsafe-inline'",
    'font-src data:',
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** As JavaScript inside a page, where no text may end the script. */
function literal(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}
