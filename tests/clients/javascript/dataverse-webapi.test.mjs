// dataverse-webapi, made for scripts of forms: it sends what a browser's XMLHttpRequest sends, which stands here on fetch.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as webApi from "dataverse-webapi";
import { dataverse } from "./sandbox.mjs";

globalThis.XMLHttpRequest = class {
  open(method, url) {
    Object.assign(this, { method, url, sent: {} });
  }
  setRequestHeader(name, value) {
    this.sent[name] = value;
  }
  getAllResponseHeaders() {
    return [...this.received].map(([name, value]) => `${name}: ${value}`).join("\r\n");
  }
  async send(body) {
    const answer = await fetch(this.url, { method: this.method, headers: this.sent, body });
    this.response = await answer.text();
    Object.assign(this, { readyState: 4, status: answer.status, received: answer.headers });
    this.onreadystatechange();
  }
};

function connect() {
  const config = new webApi.WebApiConfig("9.2", "sandbox-token", dataverse);
  config.url = `${dataverse}/api/data/v9.2`; // it makes one slash of the scheme's two, and a next link replaces it
  return config;
}

test("one row from its creation to its end", async () => {
  const config = connect();
  const id = await webApi.create(config, "accounts", { name: "DW O'Brien" });
  await webApi.updateProperty(config, "accounts", id, "description", "one column");
  const shown = await webApi.updateWithReturnData(config, "accounts", id, { name: "DW 2" }, "$select=name,description");
  assert.deepEqual([shown.name, shown.description], ["DW 2", "one column"]);
  await webApi.deleteProperty(config, "accounts", id, "description");
  assert.equal((await webApi.retrieve(config, "accounts", id, "$select=description")).description, null);
  await webApi.deleteRecord(config, "accounts", id);
  await assert.rejects(webApi.retrieve(config, "accounts", id), { message: /Does Not Exist/ });
});

test("pages", async () => {
  const config = connect();
  const first = await webApi.retrieveMultiple(config, "accounts", "$select=name", { maxPageSize: 6 });
  const second = await webApi.retrieveMultipleNextPage(config, first["@odata.nextLink"], { maxPageSize: 6 });
  const ids = [...first.value, ...second.value].map((row) => row.accountid);
  assert.equal(new Set(ids).size, 12);
});

test("references, functions and actions", async () => {
  const config = connect();
  const child = await webApi.create(config, "accounts", { name: "DW child" });
  const parent = await webApi.create(config, "accounts", { name: "DW parent" });
  const read = async () => (await webApi.retrieve(config, "accounts", child, "$select=_parentaccountid_value"))._parentaccountid_value;
  const children = "account_account_parentaccountid";
  await webApi.associate(config, "accounts", parent, children, "accounts", child);
  assert.equal(await read(), parent);
  await webApi.disassociate(config, "accounts", parent, children, child);
  assert.equal(await read(), null);
  assert.ok((await webApi.unboundFunction(config, "WhoAmI")).UserId);
});

test("batch of a change set and of queries", async () => {
  const config = connect();
  const changes = [
    { queryString: "accounts", method: "POST", entity: { name: "DW batch 1" } },
    { queryString: "accounts", method: "POST", entity: { name: "DW batch 2" } },
  ];
  const gets = ["accounts?$filter=startswith(name,'DW%20batch')&$select=name", "accounts?$top=1&$select=name"];
  const answers = await webApi.batchOperation(config, "B1", "C1", changes, gets);
  assert.deepEqual(answers.map((answer) => answer.httpStatus), [204, 204, 200, 200]);
  assert.deepEqual(answers.slice(0, 2).map((answer) => answer.contentId), ["1", "2"]);
  assert.deepEqual(answers[2].data.value.map((row) => row.accountid).sort(), [answers[0].entityId, answers[1].entityId].sort());
  const wrong = [{ queryString: "accounts", method: "POST", entity: { no_such_column: 1 } }];
  await assert.rejects(webApi.batchOperation(config, "B2", "C2", wrong, []), { message: /no_such_column/ });
});
