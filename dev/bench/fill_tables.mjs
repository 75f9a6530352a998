// Fills Azurite's tables before it listens: node --import 'fill_tables.mjs?PATH' azurite.js …
//
// An insertion looks at all rows of its partition first (LokiTableMetadataStore.insertTableEntity),
// so 30,000 take minutes, and what Azurite saves is one string, which V8 bounds at half a gigabyte.
// So the rows come into its memory here, by its own insertTableEntity with that look-up left out.
// Everything that is asked afterwards is answered by Azurite as it is.

import { createReadStream } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const azurite = createRequire(new URL("../node_modules/azurite/", import.meta.url));
const Store = azurite("./dist/src/table/persistence/LokiTableMetadataStore.js").default;
const Handler = azurite("./dist/src/table/handlers/TableHandler.js").default;

const ACCOUNT = "devstoreaccount1";
const path = decodeURIComponent(new URL(import.meta.url).search.slice(1));

const init = Store.prototype.init;
Store.prototype.init = async function () {
  await init.call(this);
  await fill(this);
};

async function fill(store) {
  const context = { startTime: new Date() };
  const { lastModifiedTime, eTag } = Handler.prototype.createPersistedEntity(context, {}, "", "");
  const collections = new Map();
  const partitions = new Map(); // each text once in memory
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const { row, places } = JSON.parse(line);
    for (const [table, RowKey, keys] of places) {
      if (!collections.has(table)) collections.set(table, await emptyTable(store, table));
      for (const key of keys) {
        if (!partitions.has(key)) partitions.set(key, key);
        const PartitionKey = partitions.get(key);
        const properties = { PartitionKey, RowKey };
        if (row !== null) properties.row = row;
        const entity = { PartitionKey, RowKey, properties, lastModifiedTime, eTag };
        await store.insertTableEntity(context, table, ACCOUNT, entity);
      }
    }
  }
  for (const collection of collections.values()) index(collection);
}

async function emptyTable(store, table) {
  await store.createTable({}, { account: ACCOUNT, table });
  const collection = store.getEntityCollection(ACCOUNT, table, {});
  collection.adaptiveBinaryIndices = false;
  collection.findOne = () => null;
  return collection;
}

function index(collection) {
  delete collection.findOne;
  collection.ensureAllIndexes(true);
  collection.adaptiveBinaryIndices = true;
}
