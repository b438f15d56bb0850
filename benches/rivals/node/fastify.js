// Fastify, with a schema of its answers: it then writes JSON by a function that is made for the schema.

import Fastify from 'fastify';
import { checkId, Checks, Refusal, refusal } from './checks.js';
import { open } from './customers.js';

const text = { type: 'string' };
const address = {
  type: 'object',
  properties: { country: text, state: text, city: text, postalCode: text, line1: text, line2: text },
};
const customer = {
  type: 'object',
  properties: {
    id: text,
    name: text,
    lastName: text,
    email: text,
    phone: text,
    addresses: { type: 'array', items: address },
    discounts: { type: 'array', items: { type: 'object', additionalProperties: true } },
    currency: text,
    metadata: { type: 'object', additionalProperties: text },
  },
};
const page = {
  type: 'object',
  properties: { data: { type: 'array', items: customer }, next: text },
};

const checks = new Checks(process.env.CK_INTEGRATION_TOKEN);
const store = open();
// By default a parameter of 100 characters is not found. Ids may have 255 bytes, and a longer one is a 400.
const app = Fastify({ routerOptions: { maxParamLength: 1024 } });

// Before the handlers, so that an unknown path is a 401 without a signature.
app.decorateRequest('mode', null);
app.addHook('onRequest', async (request, reply) => {
  reply.header('cache-control', 'no-store');
  request.mode = checks.verify(request.method, request.raw.url, request.headers);
});

app.get('/churnkey/customers/:id', { schema: { response: { 200: customer } } }, async (request) => {
  const found = await store.byId(request.mode, checkId(request.params.id));
  if (found === undefined) {
    throw new Refusal(404, 'Customer not found');
  }
  return found;
});

app.get('/churnkey/customers', { schema: { response: { 200: page } } }, async (request) => {
  const { data, last } = await store.page(request.mode, checks.asked(request.query, request.mode));
  return { data, next: last === undefined ? undefined : checks.next(request.mode, last) };
});

app.setNotFoundHandler(async () => {
  throw new Refusal(404);
});
app.setErrorHandler((error, request, reply) => {
  const refused = refusal(error);
  reply.code(refused.code).send(refused.body);
});

await app.listen({ host: '127.0.0.1', port: 0 });
console.log(`127.0.0.1:${app.server.address().port}`);
