// dynamics-web-api, the client of most scripts and functions on Dataverse, over https.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DynamicsWebApi } from "dynamics-web-api";
import { dataverseTls } from "./sandbox.mjs";

const api = new DynamicsWebApi({
  serverUrl: dataverseTls,
  dataApi: { version: "9.2" },
  onTokenRefresh: async () => "sandbox-token",
});
const accounts = { collection: "accounts" };

test("one record from its creation to its end", async () => {
  const key = await api.create({ ...accounts, data: { name: "DWA O'Brien 東京", accountnumber: "DWA-1" } });
  const read = await api.retrieve({ ...accounts, key, select: ["name"], includeAnnotations: "*" });
  assert.equal(read.name, "DWA O'Brien 東京");
  const changed = await api.update({
    ...accounts, key, data: { name: "DWA 2" }, returnRepresentation: true, select: ["name"],
  });
  assert.equal(changed.name, "DWA 2");
  await api.updateSingleProperty({ ...accounts, key, fieldValuePair: { description: "one column" } });
  await api.deleteRecord({ ...accounts, key, fieldName: "accountnumber" });
  const again = await api.retrieve({ ...accounts, key, select: ["accountnumber", "description"] });
  assert.deepEqual([again.accountnumber, again.description], [null, "one column"]);
  await api.deleteRecord({ ...accounts, key });
  await assert.rejects(api.retrieve({ ...accounts, key, select: ["name"] }), { status: 404, code: "0x80040217" });
});

test("versions and conditions", async () => {
  const key = "0d3a1a5e-0000-4000-8000-000000000001";
  const made = await api.upsert({ ...accounts, key, data: { name: "DWA upsert" }, returnRepresentation: true });
  assert.equal(made.accountid, key);
  assert.equal(await api.upsert({ ...accounts, key, data: { name: "no" }, ifnonematch: "*" }), null);
  const missing = "0d3a1a5e-0000-4000-8000-000000000002";
  assert.equal(await api.upsert({ ...accounts, key: missing, data: { name: "no" }, ifmatch: "*" }), null);
  const tag = made["@odata.etag"];
  assert.equal(await api.deleteRecord({ ...accounts, key, ifmatch: 'W/"1"' }), false);
  assert.equal(await api.update({ ...accounts, key, data: { name: "DWA newer" }, ifmatch: tag }), true);
  assert.equal(await api.deleteRecord({ ...accounts, key, ifmatch: tag }), false);
  await api.deleteRecord({ ...accounts, key });
});

test("lists, pages and counts", async () => {
  const first = await api.retrieveMultiple({ ...accounts, select: ["name"], maxPageSize: 5, count: true });
  assert.equal(first.value.length, 5);
  const second = await api.retrieveMultiple({ ...accounts, select: ["name"], maxPageSize: 5 }, first.oDataNextLink);
  assert.equal(second.value.length, 5);
  assert.notEqual(second.value[0].accountid, first.value[0].accountid);
  const all = await api.retrieveAll({ ...accounts, select: ["name"], maxPageSize: 9 });
  assert.equal(new Set(all.value.map((row) => row.accountid)).size, all.value.length);
  assert.equal(first.oDataCount, all.value.length);
  assert.equal(await api.count(accounts), all.value.length);
  const some = await api.countAll({ ...accounts, filter: "contains(name,'adventure')", select: ["name"] });
  assert.ok(some > 0 && some < all.value.length);
});

test("expand, lookups and formatted values", async () => {
  const { value } = await api.retrieveMultiple({
    collection: "msdyn_projecttasks",
    select: ["msdyn_subject", "_msdyn_project_value"],
    expand: [{ property: "msdyn_project", select: ["msdyn_subject"] }],
    filter: "_msdyn_project_value ne null",
    includeAnnotations: "*",
    top: 2,
  });
  const [row] = value;
  assert.equal(row._msdyn_project_value_LogicalName, "msdyn_project");
  assert.equal(row._msdyn_project_value_Formatted, row.msdyn_project.msdyn_subject);
});

test("aggregates", async () => {
  const { value } = await api.retrieveMultiple({ ...accounts, apply: "groupby((statecode),aggregate($count as total))" });
  assert.equal(typeof value[0].total, "number");
});

// Ordered by numbers: the client takes the escapes of texts such as "<b>" out of the cookie.
test("FetchXML by pages", async () => {
  const query = (attributes) =>
    `<fetch ${attributes}><entity name="account"><attribute name="name"/><attribute name="statecode"/>` +
    '<order attribute="creditlimit"/><link-entity name="account" from="accountid" to="parentaccountid" link-type="outer" ' +
    'alias="above"><attribute name="name"/></link-entity></entity></fetch>';
  const first = await api.fetch({ ...accounts, fetchXml: query('count="6"'), includeAnnotations: "*" });
  assert.equal(first.value.length, 6);
  assert.deepEqual([first.PagingInfo.page, first.PagingInfo.nextPage], [1, 2]);
  assert.equal(first.value[0].statecode_Formatted, "Active");
  const all = await api.fetchAll({ ...accounts, fetchXml: query('count="6"'), includeAnnotations: "*" });
  const once = await api.fetch({ ...accounts, fetchXml: query('top="5000"') });
  assert.deepEqual(all.value.map((row) => row.accountid), once.value.map((row) => row.accountid));
  assert.ok(once.value.length > 12 && once.PagingInfo === undefined);
});

test("change tracking", async () => {
  const key = await api.create({ ...accounts, data: { name: "DWA tracked" } });
  const gone = await api.create({ ...accounts, data: { name: "DWA gone" } });
  const start = await api.retrieveMultiple({ ...accounts, select: ["name"], trackChanges: true });
  await api.update({ ...accounts, key, data: { name: "DWA changed" } });
  await api.deleteRecord({ ...accounts, key: gone });
  const { value, oDataDeltaLink } = await api.retrieveMultiple({ ...accounts, select: ["name"] }, start.oDataDeltaLink);
  assert.deepEqual(value.map((row) => row.name ?? [row.id, row.reason]), ["DWA changed", [gone, "deleted"]]);
  assert.ok(oDataDeltaLink);
});

test("references by navigation property", async () => {
  const key = await api.create({ ...accounts, data: { name: "DWA child" } });
  const parent = await api.create({ ...accounts, data: { name: "DWA parent" } });
  const link = { ...accounts, primaryKey: key, navigationProperty: "parentaccountid" };
  const read = async () => (await api.retrieve({ ...accounts, key, select: ["_parentaccountid_value"] }))._parentaccountid_value;
  await api.associateSingleValued({ ...link, relatedCollection: "accounts", relatedKey: parent });
  assert.equal(await read(), parent);
  await api.disassociateSingleValued(link);
  assert.equal(await read(), null);
});

test("functions and actions", async () => {
  const me = await api.callFunction({ functionName: "WhoAmI" });
  assert.match(me.UserId, /^[0-9a-f-]{36}$/);
  const counted = await api.callFunction({ functionName: "RetrieveTotalRecordCount", parameters: { EntityNames: ["account"] } });
  assert.deepEqual(counted.EntityRecordCountCollection.Keys, ["account"]);
  const target = { "@odata.type": "Microsoft.Dynamics.CRM.account", name: "DWA bulk" };
  const made = await api.callAction({ ...accounts, actionName: "Microsoft.Dynamics.CRM.CreateMultiple", action: { Targets: [target] } });
  assert.equal(made.Ids.length, 1);
});

test("batch with content ids", async () => {
  api.startBatch();
  api.retrieveMultiple({ ...accounts, select: ["name"], top: 2 });
  api.create({ ...accounts, data: { name: "DWA batch" }, contentId: "1" });
  api.create({ ...accounts, data: { name: "DWA batch child", "parentaccountid@odata.bind": "$1" } });
  api.callFunction({ functionName: "WhoAmI" });
  const [list, parent, child, me] = await api.executeBatch();
  assert.equal(list.value.length, 2);
  assert.ok(me.UserId);
  const row = await api.retrieve({ ...accounts, key: child, select: ["_parentaccountid_value"] });
  assert.equal(row._parentaccountid_value, parent);
});

test("batch that stops at an error, and one that goes on", async () => {
  const missing = { ...accounts, key: "0d3a1a5e-0000-4000-8000-000000000009", select: ["name"] };
  api.startBatch();
  api.retrieve(missing);
  api.callFunction({ functionName: "WhoAmI" });
  await assert.rejects(api.executeBatch());
  api.startBatch();
  api.retrieve(missing);
  api.callFunction({ functionName: "WhoAmI" });
  const answers = await api.executeBatch({ continueOnError: true });
  assert.equal(answers.length, 2);
  assert.ok(answers[1].UserId);
});

test("metadata", async () => {
  const owned = await api.retrieveEntities({
    select: ["LogicalName"], filter: "OwnershipType eq Microsoft.Dynamics.CRM.OwnershipTypes'UserOwned'",
  });
  assert.ok(owned.value.some((entity) => entity.LogicalName === "account"));
  const entity = await api.retrieveEntity({
    key: "LogicalName='account'", select: ["EntitySetName"], expand: [{ property: "Attributes", select: ["LogicalName"] }],
  });
  assert.equal(entity.EntitySetName, "accounts");
  const name = await api.retrieveAttribute({ entityKey: entity.MetadataId, attributeKey: "LogicalName='name'" });
  assert.equal(name.AttributeType, "String");
  const picklists = await api.retrieveAttributes({
    entityKey: "LogicalName='account'",
    castType: "Microsoft.Dynamics.CRM.PicklistAttributeMetadata",
    expand: [{ property: "OptionSet", select: ["Options"] }],
  });
  assert.ok(picklists.value.every((column) => column.OptionSet.Options.length));
  const relationships = await api.retrieveRelationships({ castType: "Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata" });
  assert.ok(relationships.value.length);
  assert.ok((await api.retrieveGlobalOptionSets({})).value.length);
  assert.match(await api.retrieveCsdlMetadata({}), /<EntitySet Name="accounts"/);
});
