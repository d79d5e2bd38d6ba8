// node examples/gateway/main.ts: Latchkey, a neighbour and a gateway before both, and one answer that needs all three.
// What only this needs are devDependencies: @graphql-hive/gateway-runtime and @theguild/federation-composition.

import { once } from 'node:events';
import { startGateway } from './gateway.ts';
import { startLatchkey } from './latchkey.ts';
import { startNeighbour } from './neighbour.ts';
import { createAccessTokenVerifier } from './verify-access-token.ts';

await using running = new AsyncDisposableStack();
const latchkey = running.adopt(await startLatchkey(), ({ close }) => close());
const verifier = running.adopt(await createAccessTokenVerifier(latchkey.issuer), async ({ close }) => close());
const neighbour = running.adopt(await startNeighbour(verifier), ({ close }) => close());
const subgraphs = [
  { name: 'latchkey', url: latchkey.url },
  { name: 'posts', url: neighbour.url },
];
const gateway = running.adopt(await startGateway(subgraphs, verifier), ({ close }) => close());

const login = await ask(
  'mutation ($input: LoginInput!) { login(input: $input) { ... on AuthPayload { accessToken } } }',
  { input: latchkey.administrator },
);
const { accessToken } = login.data.login;
await ask('mutation { writePost(title: "Keys and latches") { id } }', {}, accessToken);
const question = '{ posts { title author { email roles { name } byline } } me { posts { title } } }';
console.log(JSON.stringify(await ask(question, {}, accessToken), null, 2));

console.log(`gateway:  ${gateway.url}\nlatchkey: ${latchkey.url}\nposts:    ${neighbour.url}\nCtrl-C ends all three.`);
await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);

async function ask(query: string, variables: object, token?: string) {
  const response = await fetch(gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  });
  return response.json();
}
