// odata2ts, which writes TypeScript from `$metadata`: of Finance, whole, as it stands. Dataverse's passes too, and takes
// it three times as long.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { financeApi, headers } from "./sandbox.mjs";

const PROGRAM = join(import.meta.dirname, "node_modules/@odata2ts/odata2ts/lib/run-cli.js");
const CONFIGURATION = { compilerOptions: { target: "ES2022", module: "NodeNext", moduleResolution: "NodeNext" } };

async function models(root) {
  const folder = await mkdtemp(join(tmpdir(), "odata2ts-"));
  try {
    const answer = await fetch(`${root}$metadata`, { headers });
    await writeFile(join(folder, "metadata.xml"), await answer.text());
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(CONFIGURATION));
    const options = ["-s", "metadata.xml", "-o", "out", "-m", "models", "-e", "ts"];
    await promisify(execFile)(process.execPath, [PROGRAM, ...options], { cwd: folder });
    const [file] = await readdir(join(folder, "out"));
    return await readFile(join(folder, "out", file), "utf8");
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("types of Finance", async () => {
  const types = await models(financeApi);
  assert.match(types, /^export interface CustomerV3 \{$/m);
  assert.match(types, /^export type CustomerV3Id = \{dataAreaId: string,CustomerAccount: string\};$/m);
  assert.match(types, /^export enum NoYes \{/m);
});
