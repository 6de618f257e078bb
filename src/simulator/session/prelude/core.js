// The part of the platform that is not telephony: time, timers, requests, text helpers. `host` is the
// native side; it is reachable from here only, never from a scenario.

'use strict';

const op = (name, ...args) => {
  const told = host.op(name, JSON.stringify(args));
  return told === '' ? undefined : JSON.parse(told);
};

// Time is the session's own.
const RealDate = Date;
const VirtualDate = function Date(...args) {
  if (!new.target) return new VirtualDate().toString();
  let real;
  if (args.length === 0) real = [host.now()];
  else if (args.length === 1) real = args;
  else real = [RealDate.UTC(...args)];
  return Reflect.construct(RealDate, real, new.target);
};
VirtualDate.prototype = RealDate.prototype;
Object.defineProperty(VirtualDate.prototype, 'constructor', { value: VirtualDate, writable: true, configurable: true });
VirtualDate.now = () => host.now();
VirtualDate.UTC = RealDate.UTC;
VirtualDate.parse = RealDate.parse;
// The platform's machines run on UTC, whatever this one runs on.
for (const part of ['FullYear', 'Month', 'Date', 'Day', 'Hours', 'Minutes', 'Seconds', 'Milliseconds']) {
  RealDate.prototype['get' + part] = RealDate.prototype['getUTC' + part];
  if (part !== 'Day') RealDate.prototype['set' + part] = RealDate.prototype['setUTC' + part];
}
RealDate.prototype.getTimezoneOffset = () => 0;
globalThis.Date = VirtualDate;
Math.random = () => host.random();

// Newer than the platform's engine, or not of a server without a browser.
const newer = [
  [Object, 'groupBy'], [Map, 'groupBy'], [Promise, 'withResolvers'], [Promise, 'try'], [RegExp, 'escape'],
  [Error, 'isError'], [Error, 'captureStackTrace'], [Math, 'sumPrecise'], [Math, 'f16round'], [Array, 'fromAsync'],
  [String.prototype, 'isWellFormed'], [String.prototype, 'toWellFormed'],
  [Uint8Array, 'fromBase64'], [Uint8Array, 'fromHex'], [Uint8Array.prototype, 'toBase64'], [Uint8Array.prototype, 'toHex'],
  [Uint8Array.prototype, 'setFromBase64'], [Uint8Array.prototype, 'setFromHex'],
  [globalThis, 'Float16Array'], [globalThis, 'Iterator'], [globalThis, 'atob'], [globalThis, 'btoa'],
  [globalThis, 'queueMicrotask'], [globalThis, 'performance'], [globalThis, 'navigator'], [globalThis, 'print'],
  [globalThis, 'console'], [globalThis, 'DOMException'],
];
for (const name of ['union', 'intersection', 'difference', 'symmetricDifference', 'isSubsetOf', 'isSupersetOf', 'isDisjointFrom']) {
  newer.push([Set.prototype, name]);
}
const iterators = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
for (const name of ['map', 'filter', 'take', 'drop', 'flatMap', 'reduce', 'toArray', 'forEach', 'some', 'every', 'find']) {
  newer.push([iterators, name]);
}
for (const [from, name] of newer) delete from[name];

// Promises that the platform keeps.
const promises = new Map();
let promisesMade = 0;
const promised = (start, makes) => new Promise((resolve, reject) => {
  promisesMade += 1;
  const id = promisesMade;
  promises.set(id, { resolve: (told) => resolve(makes ? makes(told) : told), reject });
  try {
    start(id);
  } catch (error) {
    promises.delete(id);
    reject(error);
  }
});

// Timers.
const timers = new Map();
const timer = (run, delay, args, repeats) => {
  if (typeof run !== 'function') throw new TypeError('a timer needs a function');
  const id = host.timer(Number(delay) || 0, repeats);
  timers.set(id, { run, args, repeats });
  return id;
};
const untimer = (id) => {
  if (timers.delete(id)) host.untimer(id);
};
const setTimeout = (run, delay, ...args) => timer(run, delay, args, false);
const setInterval = (run, delay, ...args) => timer(run, delay, args, true);

// Requests.
const requests = new Map();
const headersOf = (headers) => {
  if (headers === undefined || headers === null) return [];
  if (Array.isArray(headers)) {
    return headers.map((line) => {
      const cut = String(line).indexOf(':');
      return [String(line).slice(0, cut).trim(), String(line).slice(cut + 1).trim()];
    });
  }
  return Object.entries(headers).map(([name, value]) => [name, String(value)]);
};
const bodyOf = (data) => {
  if (data === undefined || data === null) return undefined;
  return Array.isArray(data) || ArrayBuffer.isView(data) ? bytes2str(Array.from(data), 'utf-8') : String(data);
};
const request = (url, options, done) => {
  const asked = options || {};
  let address = String(url);
  if (asked.params) {
    const query = Object.entries(asked.params).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
    if (query.length > 0) address += (address.includes('?') ? '&' : '?') + query.join('&');
  }
  const timeout = Math.min(Number(asked.timeout) || 90, 90);
  const id = host.http(address, String(asked.method || 'GET').toUpperCase(), JSON.stringify(headersOf(asked.headers)),
    bodyOf(asked.postData), timeout);
  requests.set(id, { done, raw: asked.rawOutput === true });
};
const Net = Object.freeze({
  httpRequest(url, callback, options) {
    if (typeof callback !== 'function') throw new TypeError('Net.httpRequest: the second argument is the callback');
    request(url, options, callback);
  },
  httpRequestAsync: (url, options) => new Promise((resolve) => request(url, options, resolve)),
  HttpRequestError: undefined,
});

// Text and bytes.
const str2bytes = (text) => {
  const bytes = [];
  for (const letter of String(text)) {
    const code = letter.codePointAt(0);
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return bytes;
};
const bytes2str = (bytes) => {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at];
    const more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    let code = more === 0 ? first : first & (0x3f >> more);
    for (let step = 1; step <= more; step += 1) code = (code << 6) | (bytes[at + step] & 63);
    text += String.fromCodePoint(code);
    at += more + 1;
  }
  return text;
};
const bytes2hex = (bytes) => bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
const hex2bytes = (hex) => (String(hex).match(/../g) || []).map((pair) => parseInt(pair, 16));
const SIXTY_FOUR = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const base64_encode = (data) => {
  const bytes = typeof data === 'string' ? str2bytes(data) : Array.from(data);
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const word = (bytes[at] << 16) | ((bytes[at + 1] || 0) << 8) | (bytes[at + 2] || 0);
    text += SIXTY_FOUR[word >> 18] + SIXTY_FOUR[(word >> 12) & 63];
    text += at + 1 < bytes.length ? SIXTY_FOUR[(word >> 6) & 63] : '=';
    text += at + 2 < bytes.length ? SIXTY_FOUR[word & 63] : '=';
  }
  return text;
};
const base64_decode = (text) => {
  const bytes = [];
  let word = 0;
  let bits = 0;
  for (const letter of String(text).replace(/=+$/, '')) {
    const place = SIXTY_FOUR.indexOf(letter);
    if (place < 0) continue;
    word = (word << 6) | place;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((word >> bits) & 255);
    }
  }
  return bytes;
};
const uuidgen = () => {
  const hex = Array.from({ length: 32 }, () => Math.floor(host.random() * 16));
  hex[12] = 4;
  hex[16] = 8 | (hex[16] & 3);
  const text = hex.map((digit) => digit.toString(16)).join('');
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join('-');
};
const levenshtein_distance = (a, b) => {
  let row = Array.from({ length: b.length + 1 }, (_, place) => place);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
};
// The moment as the zone's clocks show it: its fields read like local ones.
const getLocalTime = (zone, date) => {
  const at = (date === undefined ? new VirtualDate() : date).getTime();
  const ahead = host.localOffset(String(zone), at);
  if (ahead === undefined || ahead === null) throw new RangeError(`getLocalTime: there is no time zone ${zone}`);
  return new VirtualDate(at + ahead);
};
const digest = (kind) => (data) => host.digest(kind, String(data));
const Crypto = Object.freeze({
  md5: digest('md5'), sha1: digest('sha1'), sha256: digest('sha256'),
  hmac_sha256: (key, data) => host.hmac(String(key), String(data)),
});
const Logger = Object.freeze({ write: (message) => host.log(String(message)), hideTones: () => {} });

Object.assign(globalThis, {
  setTimeout, setInterval, clearTimeout: untimer, clearInterval: untimer, Net, Crypto, Logger,
  trace: (message) => host.log(String(message)),
  uuidgen, base64_encode, base64_decode, str2bytes, bytes2str, bytes2hex, hex2bytes, levenshtein_distance, getLocalTime,
});
