// The checks of a signed request, and the cursors of a list, as the Rust servers have them.

import { createHmac, timingSafeEqual } from 'node:crypto';

const TOLERANCE_SECONDS = 300;
const MAX_SIGNATURES = 8;
const MAX_ID_BYTES = 255;
const MAX_CURSOR_BYTES = 512;
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 500;
const TAG_BYTES = 16;
const VERSION = Buffer.from([1]);
const SIGNATURE = /^v1=([0-9a-f]{64})$/;
const DIGITS = /^[0-9]+$/;

const REASONS = { 400: 'Bad Request', 401: 'Unauthorized', 404: 'Not Found', 500: 'Internal Server Error' };

export class Refusal extends Error {
  constructor(code, message = REASONS[code]) {
    super(message);
    this.code = code;
  }

  get body() {
    return { code: this.code, message: this.message };
  }
}

/** The answer to any error: only a refusal says what was wrong. */
export function refusal(error) {
  return error instanceof Refusal ? error : new Refusal(500);
}

export class Checks {
  #token;
  #cursorKey;
  #bound;

  constructor(token) {
    this.#token = token;
    this.#cursorKey = createHmac('sha256', token).update('churnkey-integrator cursor seal').digest();
    this.#bound = { live: boundTo('live'), test: boundTo('test') };
  }

  /** The mode of a GET, if its signature is right. A GET has no body here: one that was signed with a body is refused. */
  verify(method, path, headers) {
    const mode = headers['x-churnkey-mode'] ?? 'live';
    const timestamp = headers['x-churnkey-timestamp'];
    const sent = headers['x-churnkey-signature'];
    if (sent === undefined || timestamp === undefined || !DIGITS.test(timestamp)) {
      throw new Refusal(401);
    }
    if (Math.abs(Math.floor(Date.now() / 1000) - Number(timestamp)) > TOLERANCE_SECONDS) {
      throw new Refusal(401);
    }
    const signatures = sent.split(',');
    if (signatures.length > MAX_SIGNATURES) {
      throw new Refusal(401);
    }
    const text = `v1\n${timestamp}\n${method}\n${path}\n${mode}\n`;
    const expected = createHmac('sha256', this.#token).update(text).digest();
    let accepted = false;
    for (const signature of signatures) {
      const digits = SIGNATURE.exec(signature.trim())?.[1];
      if (digits !== undefined && timingSafeEqual(expected, Buffer.from(digits, 'hex'))) {
        accepted = true;
      }
    }
    if (!accepted) {
      throw new Refusal(401);
    }
    if (mode !== 'live' && mode !== 'test') {
      throw new Refusal(400, 'X-Churnkey-Mode must be live or test');
    }
    return mode;
  }

  /** The limit of a page, and the number of the last customer before it. */
  asked(query, mode) {
    for (const name of ['limit', 'cursor']) {
      if (Array.isArray(query[name])) {
        throw new Refusal(400, `${name} must not be repeated`);
      }
    }
    let limit = DEFAULT_LIMIT;
    if (query.limit !== undefined) {
      limit = DIGITS.test(query.limit) ? Math.min(Number(query.limit), MAX_LIMIT) : 0;
      if (limit === 0) {
        throw new Refusal(400, 'limit must be a positive integer');
      }
    }
    return { limit, after: query.cursor === undefined ? 0 : this.#after(query.cursor, mode) };
  }

  /** The cursor of the page after the customer with this number. */
  next(mode, after) {
    const payload = Buffer.from(String(after));
    return Buffer.concat([VERSION, this.#tag(mode, payload), payload]).toString('base64url');
  }

  #after(text, mode) {
    const bytes = text.length > MAX_CURSOR_BYTES ? Buffer.alloc(0) : Buffer.from(text, 'base64url');
    const tag = bytes.subarray(1, 1 + TAG_BYTES);
    const payload = bytes.subarray(1 + TAG_BYTES);
    // Node skips what is no base64, so the text is written once more.
    if (tag.length < TAG_BYTES || bytes.toString('base64url') !== text) {
      throw new Refusal(400, 'Invalid cursor');
    }
    if (bytes[0] !== VERSION[0] || !timingSafeEqual(tag, this.#tag(mode, payload))) {
      throw new Refusal(400, 'Invalid cursor');
    }
    return Number(payload.toString());
  }

  #tag(mode, payload) {
    const mac = createHmac('sha256', this.#cursorKey);
    const digest = mac.update(this.#bound[mode]).update(length(payload)).update(payload).digest();
    return digest.subarray(0, TAG_BYTES);
  }
}

export function checkId(id) {
  if (Buffer.byteLength(id) > MAX_ID_BYTES) {
    throw new Refusal(400, 'id must not be longer than 255 bytes');
  }
  return id;
}

function boundTo(mode) {
  const parts = [Buffer.from('customers.list'), Buffer.from(mode), Buffer.alloc(8)];
  return Buffer.concat([VERSION, ...parts.flatMap((part) => [length(part), part])]);
}

function length(bytes) {
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(bytes.length));
  return length;
}
