// @odata/client, for any OData service: both systems.
import assert from "node:assert/strict";
import { test } from "node:test";
import { OData } from "@odata/client";
import { dataverseApi, financeApi, headers } from "./sandbox.mjs";

const connect = (serviceEndpoint) => OData.New4({ serviceEndpoint, commonHeaders: headers, processCsrfToken: false });
const dataverse = connect(dataverseApi);
const finance = connect(financeApi);

test("Dataverse: one row from its creation to its end", async () => {
  const accounts = dataverse.getEntitySet("accounts");
  await accounts.create({ name: "OC 1" });
  const [row] = await accounts.find({ name: "OC 1" });
  await accounts.update(row.accountid, { name: "OC 2" });
  assert.equal((await accounts.retrieve(row.accountid)).name, "OC 2");
  assert.equal(await accounts.count({ name: "OC 2" }), 1);
  await accounts.delete(row.accountid);
  assert.deepEqual(await accounts.find({ name: "OC 2" }), []);
});

test("Dataverse: query and batch", async () => {
  const params = dataverse.newOptions().select("name").top(2).orderby("name");
  assert.equal((await dataverse.newRequest({ collection: "accounts", params })).value.length, 2);
  const answers = await dataverse.execBatchRequests([
    dataverse.newBatchRequest({ collection: "accounts", method: "GET", params }),
    dataverse.newBatchRequest({ collection: "accounts", method: "POST", entity: { name: "OC batch" } }),
  ]);
  assert.deepEqual(answers.map((answer) => answer.status), [200, 204]);
  assert.equal((await answers[0].json()).value.length, 2);
});

test("Finance: query, count, key and batch", async () => {
  const params = finance.newOptions().select("CustomerAccount", "dataAreaId").top(2).count(true);
  const { value, "@odata.count": count } = await finance.newRequest({ collection: "CustomersV3", params });
  assert.ok(count > value.length);
  const [dataAreaId, CustomerAccount] = ["uspm", "US-011"];
  const customers = finance.getEntitySet("CustomersV3");
  const row = await customers.retrieve({ dataAreaId, CustomerAccount });
  assert.equal(row.CustomerAccount, CustomerAccount);
  await customers.update({ dataAreaId, CustomerAccount }, { NameAlias: "OC alias" });
  assert.equal((await customers.retrieve({ dataAreaId, CustomerAccount })).NameAlias, "OC alias");
  const [answer] = await finance.execBatchRequests([
    finance.newBatchRequest({ collection: "CustomersV3", method: "GET", params }),
  ]);
  assert.equal((await answer.json()).value.length, 2);
});
