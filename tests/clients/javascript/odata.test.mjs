// o.js (`odata`), a small client for any OData service, and odata-query, which writes query strings.
import assert from "node:assert/strict";
import { test } from "node:test";
import { o } from "odata";
import query from "odata-query";
import { dataverseApi, financeApi, headers } from "./sandbox.mjs";

const json = { ...headers, "Content-Type": "application/json" };
// Its batches take none of the other headers along, and what is set of their options replaces all of them.
const batch = (useChangset) => ({
  headers: new Headers(headers),
  endpoint: "$batch",
  boundaryPrefix: "batch_",
  changsetBoundaryPrefix: "changeset_",
  useChangset,
});
const connect = (root, useChangset = false) => o(root, { headers: json, batch: batch(useChangset) });
const read = async (path) => (await fetch(`${dataverseApi}${path}`, { headers })).json();

test("o.js: one row of Dataverse", async () => {
  const made = await connect(dataverseApi).post("accounts", { name: "OJS 1" }).fetch();
  assert.equal(made.status, 204);
  const [, id] = /\((.*)\)/.exec(made.headers.get("OData-EntityId"));
  await connect(dataverseApi).patch(`accounts(${id})`, { name: "OJS 2" }).query();
  const rows = await connect(dataverseApi).get("accounts").query({ $filter: "name eq 'OJS 2'" });
  assert.equal(rows[0].accountid, id);
  await connect(dataverseApi).delete(`accounts(${id})`).query();
  const gone = await connect(dataverseApi).get(`accounts(${id})`).fetch();
  assert.equal(gone.status, 404);
});

test("o.js: batch of Dataverse, with and without a change set", async () => {
  const reads = await connect(dataverseApi).get("accounts").get("cdm_companies").batch({ $top: 1 });
  assert.deepEqual(reads.map((answer) => answer.status), [200, 200]);
  const client = connect(dataverseApi, true);
  const writes = await client.post("accounts", { name: "OJS a" }).post("accounts", { name: "OJS b" }).batch();
  assert.deepEqual(writes.map((answer) => answer.status), [204, 204]);
});

test("o.js: Finance", async () => {
  const [row] = await connect(financeApi).get("CustomersV3").query({ $top: 1, "cross-company": true });
  const key = `CustomersV3(dataAreaId='${row.dataAreaId}',CustomerAccount='${row.CustomerAccount}')`;
  assert.equal((await connect(financeApi).get(key).query()).PartyNumber, row.PartyNumber);
});

test("odata-query: what it writes is understood", async () => {
  const filter = {
    and: [
      { name: { startswith: "A" } },
      { statecode: 0 },
      { not: { name: { contains: "zzz" } } },
      { createdon: { ge: new Date("2020-01-01") } },
      { accountid: { ne: { type: "guid", value: "0d3a1a5e-0000-4000-8000-000000000001" } } },
    ],
  };
  const expand = { msdyn_company: { select: ["cdm_companycode"] } };
  const list = await read(`accounts${query({ select: ["name"], filter, expand, orderBy: "name desc", top: 2, count: true })}`);
  assert.equal(list.value.length, 2);
  assert.ok(list["@odata.count"] > 2);
  const either = await read(`accounts${query({ filter: { or: [{ name: "OJS a" }, { name: { in: ["OJS b"] } }] } })}`);
  assert.deepEqual(either.value.map((row) => row.name).sort(), ["OJS a", "OJS b"]);
});
