/**
 * The service over fetch.
 *
 *   await getCapabilities()                        what GET /v1/capabilities answers, asked once
 *   await postCheck(request, { signal, files })    the report; files: a Map of part name -> File beside the request
 *   await postJson("/v1/train", request, { signal })
 *   await streamEvents("/v1/train", request, { signal, onEvent(name, data) {} })
 *                                                  server-sent events of a POST, until the stream ends
 *
 * A request is an object, or the text of one. All of them throw a Problem when the service refuses, cannot be reached
 * or sends an `event: error`; an aborted signal throws its AbortError.
 */
import { toJson } from "./numbers.js";
import { partsOf } from "./tensor-files.js";
import { askForToken, tokenHeader } from "./token.js";

/** What is wrong with a request, and where (RFC 9457). Also made here for what cannot even be sent. */
export class Problem extends Error {
  /** @param {{status?: number, code?: string, title?: string, detail: string, pointer?: string, line?: number,
   *           column?: number}} members */
  constructor(members) {
    super(members.detail);
    this.name = "Problem";
    this.detail = members.detail;
    for (const name of ["status", "code", "title", "pointer", "line", "column"]) this[name] = members[name];
  }
}

const bodyOf = (request) => (typeof request === "string" ? request : toJson(request));

async function send(path, { body, accept, signal } = {}) {
  for (;;) {
    const headers = { Accept: accept ?? "application/json", ...tokenHeader() };
    if (typeof body === "string") headers["Content-Type"] = "application/json"; // parts say their own
    let response;
    try {
      response = await fetch(path, { method: body === undefined ? "GET" : "POST", headers, body, signal });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Problem({ code: "unreachable", detail: "The service cannot be reached. Is it still running?" });
    }
    if (response.ok) return response;
    const problem = await problemOf(response);
    if (response.status !== 401 || !(await askForToken(problem.detail))) throw problem;
  }
}

async function problemOf(response) {
  try {
    const members = await response.json();
    if (typeof members.detail === "string") return new Problem({ status: response.status, ...members });
  } catch {
    // not JSON: a proxy's page, say
  }
  return new Problem({ status: response.status, code: "http", detail: `The service answered ${response.status} ${response.statusText}.` });
}

/** POSTs JSON, and reads JSON. */
export async function postJson(path, request, { signal, files } = {}) {
  return (await send(path, { body: files?.size > 0 ? partsOf(request, files) : bodyOf(request), signal })).json();
}

/** Checks gradients; see /openapi.json for both sides. */
export const postCheck = (request, options) => postJson("/v1/check", request, options);

let capabilities = null;

/** What this daemon offers; asked for once, again after a failure. */
export function getCapabilities() {
  capabilities ??= send("/v1/capabilities").then((response) => response.json());
  capabilities.catch(() => { capabilities = null; });
  return capabilities;
}

/**
 * POSTs a request and hands on the events that come back, in order, data parsed. Resolves with the last event's data
 * when the stream ends after `done`; throws a Problem for `error` and for a stream that breaks off before `done`.
 */
export async function streamEvents(path, request, { signal, onEvent = () => {} } = {}) {
  const response = await send(path, { body: bodyOf(request), accept: "text/event-stream", signal });
  let done;
  for await (const { name, data } of events(response.body)) {
    if (name === "error") throw new Problem(data);
    onEvent(name, data);
    if (name === "done") done = data;
  }
  if (done === undefined) throw new Problem({ code: "broken_off", detail: "The answer broke off before its end." });
  return done;
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text += value;
      const blocks = text.split(/\r?\n\r?\n/);
      text = blocks.pop();
      for (const block of blocks) {
        const event = parseEvent(block);
        if (event !== null) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parseEvent(block) {
  let name = "message";
  const data = [];
  for (const line of block.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    const value = line.slice(colon + 1).replace(/^ /, "");
    if (line.startsWith("event:")) name = value;
    else if (line.startsWith("data:")) data.push(value);
  }
  return data.length > 0 ? { name, data: JSON.parse(data.join("\n")) } : null;
}
