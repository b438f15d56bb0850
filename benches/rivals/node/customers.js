// Where the customers are: generated in memory, as src/customers.rs generates them, or in the tables of the Postgres example.

import { parseArgs } from 'node:util';
import pg from 'pg';

const MAX_CONNECTIONS = 16;

/** The store that the arguments ask for. */
export function open() {
  const options = { customers: { type: 'string' }, database: { type: 'string' } };
  const { customers, database } = parseArgs({ options }).values;
  return database === undefined ? new Memory(Number(customers)) : new Database(database);
}

class Memory {
  #tables;

  constructor(customers) {
    this.#tables = { live: table(customers), test: table(0) };
  }

  byId(mode, id) {
    return this.#tables[mode].byId.get(id);
  }

  page(mode, { after, limit }) {
    const { rows } = this.#tables[mode];
    const data = rows.slice(after, after + limit);
    const last = rows.length > after + data.length ? after + data.length : undefined;
    return { data, last };
  }
}

function table(customers) {
  const rows = [];
  for (let number = 1; number <= customers; number++) {
    rows.push(generated(number));
  }
  return { rows, byId: new Map(rows.map((row) => [row.id, row])) };
}

function generated(number) {
  const digits = String(number).padStart(8, '0');
  return {
    id: `cus_gen_${digits}`,
    name: `Generated ${digits}`,
    email: `gen${digits}@example.com`,
    phone: `+888${String(number).padStart(10, '0')}`,
    addresses: [
      {
        country: 'DE',
        city: 'Berlin',
        postalCode: String(number % 100000).padStart(5, '0'),
        line1: `Street ${number}`,
      },
    ],
    currency: 'eur',
    metadata: { createdAt: '2026-01-15T12:00:00.000Z' },
  };
}

class Database {
  #pool;
  #statements = { live: statements('live'), test: statements('test') };

  constructor(connectionString) {
    this.#pool = new pg.Pool({ connectionString, max: MAX_CONNECTIONS });
  }

  async byId(mode, id) {
    const { rows } = await this.#pool.query({ ...this.#statements[mode].byId, values: [id] });
    return rows.length === 0 ? undefined : customer(rows[0]);
  }

  async page(mode, { after, limit }) {
    const { rows } = await this.#pool.query({ ...this.#statements[mode].page, values: [after, limit + 1] });
    const further = rows.length > limit;
    if (further) {
      rows.pop();
    }
    return { data: rows.map(customer), last: further ? rows.at(-1)[0] : undefined };
  }
}

// With a name, so that each connection prepares a statement once.
function statements(mode) {
  const select = `SELECT seq, id, name, last_name, email, phone, currency, addresses, discounts, metadata
    FROM churnkey_${mode}.customer_records`;
  const rowMode = 'array';
  return {
    byId: { name: `by-id-${mode}`, text: `${select} WHERE id = $1`, rowMode },
    page: { name: `page-${mode}`, text: `${select} WHERE seq > $1 ORDER BY seq LIMIT $2`, rowMode },
  };
}

// What is absent is undefined, and so is left out.
function customer([, id, name, lastName, email, phone, currency, addresses, discounts, metadata]) {
  return {
    id,
    name: name ?? undefined,
    lastName: lastName ?? undefined,
    email: email ?? undefined,
    phone: phone ?? undefined,
    addresses: addresses?.length > 0 ? addresses : undefined,
    discounts: discounts.length > 0 ? discounts : undefined,
    currency: currency ?? undefined,
    metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
  };
}
