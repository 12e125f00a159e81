/**
 * The page's state in the URL: #check/<payload> or #train/<payload>.
 *
 * A payload is JSON, deflated and in base64url behind a "z"; where the browser cannot deflate, in base64url behind a
 * "j". Both are read everywhere that can.
 */

const bytesToText = (bytes) => {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 32768) binary += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
};

const textToBytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));

async function through(bytes, transform) {
  const stream = new Blob([bytes]).stream().pipeThrough(transform);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** @returns {Promise<string>} */
export async function encodeState(state) {
  const bytes = new TextEncoder().encode(JSON.stringify(state));
  if (typeof CompressionStream === "undefined") return `j${bytesToText(bytes)}`;
  return `z${bytesToText(await through(bytes, new CompressionStream("deflate-raw")))}`;
}

/** Throws where the text is no state. */
export async function decodeState(text) {
  let bytes = textToBytes(text.slice(1));
  if (text[0] === "z") bytes = await through(bytes, new DecompressionStream("deflate-raw"));
  else if (text[0] !== "j") throw new Error("unknown form");
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** {view, payload} of a location's hash; payload is "" where there is none. */
export function splitHash(hash) {
  const [view, payload = ""] = hash.replace(/^#/, "").split("/");
  return { view, payload };
}
