// @azure/identity (and the msal-node below it): tokens for either system, over https.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientSecretCredential } from "@azure/identity";
import { dataverseTls, financeTls } from "./sandbox.mjs";

const TENANT = "11111111-2222-3333-4444-555555555555";
const credential = (authorityHost, secret) =>
  new ClientSecretCredential(TENANT, "sandbox-client", secret, { authorityHost, disableInstanceDiscovery: true });

for (const [host, path] of [[dataverseTls, "/api/data/v9.2/WhoAmI"], [financeTls, "/data/LegalEntities"]]) {
  test(`a token of ${path} opens it`, async () => {
    const { token } = await credential(host, "sandbox-secret").getToken(`${host}/.default`);
    const answer = await fetch(`${host}${path}`, { headers: { Authorization: `Bearer ${token}` } });
    assert.equal(answer.status, 200);
  });
}

test("a wrong secret is refused", async () => {
  await assert.rejects(credential(dataverseTls, "wrong").getToken(`${dataverseTls}/.default`), /AADSTS7000215/);
});
