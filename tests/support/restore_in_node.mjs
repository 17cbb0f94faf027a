// Reads messages as JSON Lines from standard input: {stream, payload (hex), format}; prints what restore.mjs makes
// of each: [records, skipped], or the error.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { Restorer } = await import(pathToFileURL(process.argv[2]).href);
const restorer = new Restorer();
const shown = (key, value) => {
  if (value instanceof Map) return Object.fromEntries(value);
  return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
};
for await (const line of createInterface({ input: process.stdin })) {
  const { stream, payload, format } = JSON.parse(line);
  try {
    const records = restorer.restore(Buffer.from(payload, "hex"), { stream, format });
    console.log(JSON.stringify([records, restorer.skipped], shown));
  } catch (error) {
    console.log(JSON.stringify({ error: error.message }));
  }
}
