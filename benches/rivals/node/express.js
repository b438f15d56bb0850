// Express. Without an ETag, because no answer may be stored.

import express from 'express';
import { checkId, Checks, Refusal, refusal } from './checks.js';
import { open } from './customers.js';

const checks = new Checks(process.env.CK_INTEGRATION_TOKEN);
const store = open();
const app = express();
app.disable('etag');
app.disable('x-powered-by');

// Before the handlers, so that an unknown path is a 401 without a signature.
app.use((request, response, next) => {
  response.set('cache-control', 'no-store');
  request.mode = checks.verify(request.method, request.originalUrl, request.headers);
  next();
});

app.get('/churnkey/customers/:id', async (request, response) => {
  const found = await store.byId(request.mode, checkId(request.params.id));
  if (found === undefined) {
    throw new Refusal(404, 'Customer not found');
  }
  response.json(found);
});

app.get('/churnkey/customers', async (request, response) => {
  const { data, last } = await store.page(request.mode, checks.asked(request.query, request.mode));
  response.json({ data, next: last === undefined ? undefined : checks.next(request.mode, last) });
});

app.use(() => {
  throw new Refusal(404);
});
// Express knows a handler of errors by its four parameters.
app.use((error, request, response, next) => {
  const refused = refusal(error);
  response.status(refused.code).json(refused.body);
});

const server = app.listen(0, '127.0.0.1', (error) => {
  if (error) {
    throw error;
  }
  console.log(`127.0.0.1:${server.address().port}`);
});
