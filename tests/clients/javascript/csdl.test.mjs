// odata-csdl, the OASIS technical committee's own reader: both documents are CSDL that it takes, and the JSON that it
// makes of them fits the committee's JSON schema of CSDL.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import csdl from "odata-csdl";
import { dataverseApi, financeApi, headers } from "./sandbox.mjs";

const schema = createRequire(import.meta.url).resolve("odata-csdl/schemas/csdl.schema.json");
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats.default(ajv);
const fits = ajv.compile(JSON.parse(readFileSync(schema)));

for (const url of [`${dataverseApi}$metadata`, `${dataverseApi}$metadata?annotations=true`, `${financeApi}$metadata`]) {
  test(`${url} is CSDL`, async () => {
    const answer = await fetch(url, { headers });
    assert.equal(answer.status, 200);
    const messages = [];
    const json = csdl.xml2json(Buffer.from(await answer.arrayBuffer()), { strict: true, messages });
    assert.deepEqual(messages, []);
    assert.equal(json.$Version, "4.0");
    assert.ok(fits(json), JSON.stringify(fits.errors?.slice(0, 5)));
  });
}

test("what is no CSDL is seen", () => {
  assert.throws(() => csdl.xml2json(Buffer.from("<edmx:Edmx><Schema/>"), { strict: true }));
});
