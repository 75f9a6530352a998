// Counts what Azurite is asked, and tells it on a port: node --import 'count_requests.mjs?PORT' …
//
// A transaction's table is in its body alone, so rows are counted where Azurite stores them.

import { subscribe } from "node:diagnostics_channel";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const azurite = createRequire(new URL("../node_modules/azurite/", import.meta.url));
const Store = azurite("./dist/src/table/persistence/LokiTableMetadataStore.js").default;

const counts = { requests: {}, rows: {}, insertions: {}, transactions: {} };
const one = (of, table) => (of[table] = (of[table] ?? 0) + 1);

const { insertTableEntity, endBatchTransaction } = Store.prototype;

Store.prototype.insertTableEntity = function (context, table, account, entity, batchId) {
  one(counts.rows, table);
  if (!batchId) one(counts.insertions, table);
  return insertTableEntity.call(this, context, table, account, entity, batchId);
};

Store.prototype.endBatchTransaction = function (account, table, ...others) {
  one(counts.transactions, table);
  return endBatchTransaction.call(this, account, table, ...others);
};

const telling = createServer((_, response) => response.end(JSON.stringify(counts)));
telling.listen(Number(new URL(import.meta.url).search.slice(1)), "127.0.0.1");

subscribe("http.server.request.start", ({ request, server }) => {
  if (server === telling) return;
  const [, table] = /^\/[^/]+\/([$\w]*)/.exec(request.url) ?? [];
  one(counts.requests, `${request.method} ${table}`);
});
