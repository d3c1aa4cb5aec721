// Writes FILE.br and FILE.gz beside each text and WebAssembly file of a folder: the server hands them out as they are.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [folder, mode] = process.argv.slice(2);
const quality = mode === "release" ? 11 : 4;
for (const name of readdirSync(folder, { recursive: true })) {
  const file = join(folder, name);
  // woff2 is compressed already, and below a packet or so there is nothing to gain.
  if (!/\.(wasm|js|css|svg)$/.test(name) || statSync(file).size < 1024) continue;
  const content = readFileSync(file);
  const params = { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
  writeFileSync(`${file}.br`, brotliCompressSync(content, { params }));
  writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }));
}
