/**
 * Reads tensors from what people paste: JSON, Python's dict and array reprs, NumPy's and PyTorch's print.
 *
 *   {"W1": [[1, 2]], "b1": [0.5]}              JSON, with NaN and Infinity too
 *   {'W1': array([[1., 2.]]), 'b1': array([0.5], dtype=float32)}
 *   W1: [[1 2]                                 one name after the other, NumPy's print without commas
 *        [3 4]]
 *   dW1 = np.array([[1, 2]])
 *   0.weight: tensor([[1., 2.]], grad_fn=<...>)
 *
 * What it cannot read it refuses with a line and a column. Nothing is evaluated.
 */

const NUMBER = /[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z_][\w.]*/y;
const KEY = /[A-Za-z_0-9][\w.]*/y;
const SPACE = /(?:[\s;]|#[^\n]*)*/y;
const WORDS = new Map(Object.entries({
  nan: NaN, NaN: NaN, NAN: NaN, None: null, null: null, inf: Infinity, Infinity: Infinity, Inf: Infinity,
  True: true, False: false, true: true, false: false,
}));
const DEEP = 64;

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  fail(message, at = this.at) {
    const before = this.text.slice(0, at).split("\n");
    const error = new SyntaxError(message);
    error.line = before.length;
    error.column = before.at(-1).length + 1;
    throw error;
  }

  take(pattern) {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match === null) return null;
    this.at = pattern.lastIndex;
    return match[0];
  }

  space() {
    this.take(SPACE);
    return this;
  }

  peek() {
    return this.space().text[this.at];
  }

  eat(character) {
    if (this.peek() !== character) return false;
    this.at++;
    return true;
  }

  string() {
    const quote = this.text[this.at];
    const end = this.text.indexOf(quote, this.at + 1);
    if (end < 0) this.fail("this string has no end");
    const value = this.text.slice(this.at + 1, end);
    this.at = end + 1;
    return value;
  }

  value(depth = 0) {
    if (depth > DEEP) this.fail("too many brackets");
    const next = this.peek();
    if (next === undefined) this.fail("a value is missing here");
    if (next === "[" || next === "(") return this.list(next === "[" ? "]" : ")", depth);
    if (next === '"' || next === "'") return this.string();
    if (this.text.startsWith("...", this.at)) {
      this.fail("numbers were left out (...): print with np.set_printoptions(threshold=np.inf), or use .tolist()");
    }
    const start = this.at;
    const digits = this.take(NUMBER);
    if (digits !== null) return Number(digits.replaceAll("_", ""));
    const sign = next === "-" || next === "+" ? this.text[this.at++] : "+";
    const word = this.take(WORD);
    if (word === null) this.fail(`a number or [ is expected here, not ${next}`, start);
    if (this.text[this.at] === "(") return this.call(depth);
    const known = word.replace(/^(np|numpy|math|torch)\./, "");
    if (!WORDS.has(known)) this.fail(`${word} is no number`, start);
    return sign === "-" && typeof WORDS.get(known) === "number" ? -WORDS.get(known) : WORDS.get(known);
  }

  /** array(...), np.float64(...), tensor(...): the first argument; the others (dtype, grad_fn, device) say nothing. */
  call(depth) {
    const start = this.at++;
    const value = this.value(depth + 1);
    for (let open = 1; open > 0; this.at++) {
      const character = this.text[this.at];
      if (character === undefined) this.fail("this ( is never closed", start);
      if (character === "(") open++;
      if (character === ")") open--;
    }
    return value;
  }

  list(end, depth) {
    const start = this.at++;
    const items = [];
    while (!this.eat(end)) {
      if (this.peek() === undefined) this.fail(`this ${this.text[start]} is never closed`, start);
      items.push(this.value(depth + 1));
      this.eat(",");
    }
    return items;
  }

  /** name: value or name = value, one after the other, in braces or not. */
  members() {
    const result = {};
    const braces = this.eat("{");
    while (this.peek() !== undefined) {
      if (braces && this.eat("}")) return this.end(result);
      const start = this.at;
      const name = /["']/.test(this.peek()) ? this.string() : this.take(KEY);
      if (name === null || !(this.eat(":") || this.eat("="))) {
        this.fail("a name is expected here, as in W1: [[...]]", start);
      }
      this.eat("\n");
      if (Object.hasOwn(result, name)) this.fail(`${name} is here twice`, start);
      result[name] = this.value();
      this.eat(",");
    }
    if (braces) this.fail("the closing } is missing");
    return result;
  }

  end(result) {
    if (this.peek() !== undefined) this.fail("something is left over behind the end");
    return result;
  }
}

/** @param {{named: boolean}} options named: {name: value, ...}, otherwise one value */
export function parsePython(text, { named }) {
  const fromJson = tryJson(text);
  if (named ? isMembers(fromJson) : Array.isArray(fromJson)) return fromJson;
  const reader = new Reader(text.replace(/Parameter containing:/g, ""));
  if (named) return reader.members();
  return reader.end(reader.value());
}

const isMembers = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

function tryJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
