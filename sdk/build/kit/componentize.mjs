// Makes a component of a module in JavaScript: `node componentize.mjs SOURCE WIT WORLD OUTPUT`.
//
// Everything that a rule must not reach is left out of the engine, so that the component imports the context alone.

import { writeFile } from "node:fs/promises";
import { componentize } from "@bytecodealliance/componentize-js";

const [sourcePath, witPath, worldName, output] = process.argv.slice(2);
try {
  const { component } = await componentize({
    sourcePath,
    witPath,
    worldName,
    disableFeatures: ["stdio", "random", "clocks", "http", "fetch-event"],
  });
  await writeFile(output, component);
} catch (error) {
  console.error(error.message ?? error);
  process.exit(1);
}
