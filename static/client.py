"""The Python client of gradcheckd: one file, nothing but the standard library. Save it as gradcheckd.py beside your code.

    import gradcheckd as gc
    gc.connect("http://127.0.0.1:8080")                # or GRADCHECKD_URL and GRADCHECKD_TOKEN in the environment
    report = gc.check(network, params, X, Y, grads)    # true where all gradients are right (or gc.assert_gradients, for tests)
    report.credit(5)                                   # prints what is wrong; nbgrader: the points, as the last line of a cell
    run = gc.train(network, params, X, Y, epochs=500)  # run.loss, run.health, run.plot()

In a shell: python3 gradcheckd.py lab.json [gradients.npz | gradients.json] [--format FORMAT], which exits with 0 (passed),
1 (not passed), 2 (bad request) or 75 (try again later). Nothing is written to standard error: nbgrader gives 0 for that.
"""

import difflib
import email.utils
import html
import http.client
import io
import json
import math
import os
import random
import re
import sys
import time
import urllib.parse
import urllib.request
import uuid

__version__ = "0.1.0"

class Problem(ValueError):
    """Something is wrong with the request: the mistake of who wrote the exercise. `code` names it, `pointer` is its place."""

    def __init__(self, detail, code=None, pointer=None):
        super().__init__("%s (%s)" % (detail, pointer) if pointer else detail)
        self.code, self.pointer = code, pointer

class Unavailable(OSError):
    """The service gives no answer. That is nobody's mistake, and never a grade: try again later."""

_server = {"url": None, "token": None, "npz": {}, "warned": False}

def connect(url=None, token=None):
    """Says where the service is, and who asks. What is not given is GRADCHECKD_URL and GRADCHECKD_TOKEN in the environment."""
    _server.update(url=url, token=token)
    return _address()[0]

def _address():
    url = (_server["url"] or os.environ.get("GRADCHECKD_URL") or "").strip().rstrip("/")
    if not re.fullmatch(r"https?://[^\s/]\S*", url):
        raise Problem("Where is the service? Say connect('http://HOST:PORT'), or set GRADCHECKD_URL; %r is no address" % url, "no_server")
    return url, (_server["token"] or os.environ.get("GRADCHECKD_TOKEN") or "").strip()

_Stay = type("_Stay", (urllib.request.HTTPRedirectHandler,), {"redirect_request": lambda *_: None})  # urllib's would leak the token

def _send(url, body, headers, timeout):
    """One request: its answer's status, headers, and body to be read."""
    if sys.platform != "emscripten":
        try:
            answer = urllib.request.build_opener(_Stay).open(urllib.request.Request(url, body, headers), timeout=timeout)
        except urllib.request.HTTPError as error:
            answer = error
        return answer.code, answer.headers, answer
    from js import XMLHttpRequest  # Pyodide has no sockets, but its browser's requests
    from pyodide.ffi import to_js
    request = XMLHttpRequest.new()
    request.open("POST" if body else "GET", url, False)
    for name in set(headers) - {"User-Agent"}:
        request.setRequestHeader(name, headers[name])
    try:
        request.send(to_js(body))
    except Exception as error:  # JavaScript's
        raise ConnectionError(str(error)) from None
    fields = email.message_from_string(request.getAllResponseHeaders())
    return request.status, fields, io.BytesIO(request.responseText.encode())

def _read(status, answer, deadline, told):
    """A body and its status. Of a stream of events, the last one's; `told` is called with those before it."""
    content = bytearray()
    for piece in iter(lambda: answer.read1(1 << 16), b""):
        content += piece
        while told and b"\n\n" in content:
            event, _, content = content.partition(b"\n\n")
            kind, _, data = event.decode("utf-8", "replace").partition("\ndata: ")
            if kind != "event: epoch":
                return (200 if kind == "event: done" else json.loads(data)["status"]), data.encode()
            told(json.loads(data))
        if not told and time.monotonic() > deadline:
            raise ConnectionError("the answer takes too long")
    if told or getattr(answer, "length", None):
        raise ConnectionError("the answer was cut off")
    return status, bytes(content)

def _ask(path, deadline, body=None, kind="", accept="application/json", told=None, made=dict):
    """Asks until there is an answer or the time is over. Returns what `made` makes of a result; anything else is raised."""
    url, token = _address()
    headers = {"User-Agent": "gradcheckd.py/" + __version__, "Accept": accept}
    headers.update({"Content-Type": kind, "Idempotency-Key": uuid.uuid4().hex} if body else {})
    headers.update({"Authorization": "Bearer " + token} if token else {})
    for turn in range(10000):
        fields, wait = {}, min(0.5 * 2**turn, 8) * random.uniform(0.5, 1)  # a class does not come back all at once
        try:
            status, fields, answer = _send(url + path, body, headers, max(0.1, deadline - time.monotonic()))
            with answer:
                kind = fields.get("Content-Type") or ""
                status, content = _read(status, answer, deadline, told if "event-stream" in kind else None)
            if status not in (429, 502, 503, 504):
                break
            reason = "it answers %d" % status
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:  # refused, reset, cut off, too late
            reason = str(getattr(error, "reason", error)) or type(error).__name__
        asked = fields.get("Retry-After") or ""  # seconds, or a date
        date = email.utils.parsedate_tz(asked)
        wait = float(asked) if asked.isdecimal() else email.utils.mktime_tz(date) - time.time() if date else wait
        if time.monotonic() + wait >= deadline or "CERTIFICATE_VERIFY_FAILED" in reason:
            raise Unavailable("The service at %s is not available (%s). This is no grade: try again later." % (url, reason))
        time.sleep(max(0.05, wait))
    newest = fields.get("X-Gradcheckd-Client") or ""
    theirs, ours = ([int(n) for n in re.findall("[0-9]+", version)] for version in (newest, __version__))
    if theirs > ours and not _server["warned"]:
        _server["warned"] = True
        _say("This gradcheckd.py is %s, the service has %.20s: get %s/client.py\n" % (__version__, newest, url))
    good = status == 200 or (status == 422 and "strict=1" in path and "problem" not in kind)
    try:
        if good:
            return made(json.loads(content)) if made is not bytes else (status, content)
        problem = dict(json.loads(content))
    except (AttributeError, KeyError, TypeError, ValueError):  # of a proxy, perhaps
        problem = {}
    detail = problem.get("detail") or "%s answers %d %s, and no report" % (url, status, fields.get("Location") or "")
    place = problem.get("code") or "http_%d" % status, problem.get("pointer")
    raise Unavailable(detail) if good or status >= 500 else Problem(detail, *place)

def _say(text):
    """Prints, also where the terminal cannot show a check mark."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), end="", flush=True)

def _plain(value, depth=0):
    """What JSON has for it. What cannot be a tensor becomes a string, which the service grades as none."""
    if isinstance(value, str):
        return re.sub("[\0\ud800-\udfff]", "?", value)
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        return value if value.bit_length() < 1024 else math.copysign(math.inf, value)
    if isinstance(value, (list, tuple, range)) and depth < 40:
        return [_plain(item, depth + 1) for item in value]
    try:
        if hasattr(value, "detach"):  # PyTorch's, perhaps on a device
            return value.detach().cpu().tolist()
        if hasattr(value, "tolist"):  # NumPy's, JAX's, CuPy's
            return value.tolist() if value.dtype.kind in "fiu" else _plain(value.tolist(), depth + 1)
        if hasattr(value, "keys") and depth < 40:
            return {_plain(str(name)): _plain(value[name], depth + 1) for name in value.keys()}
    except Exception:  # a student's object may do anything
        pass
    return "no tensor, but a " + type(value).__name__

def _npz(np, tensors):
    """The bytes of an npz file, where all of them are arrays."""
    arrays = {}
    for name, value in tensors.items():
        value = value.detach().cpu() if hasattr(value, "detach") else value.get() if hasattr(value, "get") else value  # CuPy's
        arrays[name] = np.asarray(value if hasattr(value, "shape") else None)
        if arrays[name].dtype.kind not in "fiu" or arrays[name].itemsize > 8 or not name.isprintable():
            raise TypeError(name)
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()

def _takes_npz(deadline):
    url = _address()[0]
    if url not in _server["npz"]:
        _server["npz"][url] = "npz" in (told := _ask("/v1/capabilities", deadline)).get("bodies", told).get("files", [])
    return _server["npz"][url]

def _encode(request, deadline, files=()):
    """A request's body and media type: JSON; much of it, if NumPy is there and the service reads that, as npz files."""
    np, files = sys.modules.get("numpy"), dict(files)
    groups = {n: request[n] for n in ("parameters", "data", "gradients") if n not in files and hasattr(request.get(n), "keys")}
    shapes = [getattr(group[n], "shape", 0) for group in groups.values() for n in group.keys()]
    size = 8 * sum(math.prod(shape) for shape in shapes if isinstance(shape, tuple))
    for name, group in groups.items() if np is not None and size > 1 << 20 and _takes_npz(deadline) else ():
        try:
            files[name] = _npz(np, group)
        except Exception:  # it stays JSON, to be graded or refused
            pass
    document = json.dumps(_plain({n: v for n, v in request.items() if n not in files})).encode()
    if not files:
        return document, "application/json"
    mark = uuid.uuid4().hex
    parts = [('"request"', "application/json", document)]
    parts += [('"%s"; filename="%s.npz"' % (n, n), "application/octet-stream", content) for n, content in files.items()]
    head = "--%s\r\nContent-Disposition: form-data; name=%s\r\nContent-Type: %s\r\n\r\n"
    body = b"".join((head % (mark, name, kind)).encode() + content + b"\r\n" for name, kind, content in parts)
    return body + b"--%s--\r\n" % mark.encode(), "multipart/form-data; boundary=" + mark

def _shape(value):
    nested = isinstance(value, (list, tuple)) and len(value) > 0
    return list(value.shape) if hasattr(value, "shape") else [len(value)] + _shape(value[0]) if nested else []

def _request(*arguments, **more):
    """The service's request, of network, params, X, Y, grads, or whatever else it may hold, by name."""
    more = dict(zip(("network", "parameters", "x", "y", "gradients"), arguments), **more)
    more.update({name: more.pop(n) for n, name in (("params", "parameters"), ("X", "x"), ("Y", "y"), ("grads", "gradients")) if n in more})
    network, loss, input, x = more.get("network"), more.pop("loss", None), more.pop("input", None), more.get("x")
    if isinstance(network, str):
        more["program"] = more.pop("network")
    elif isinstance(network, (list, tuple)):
        sample = _shape(x)[:-1] if more.get("convention") == "columns" else _shape(x)[1:]
        network = {"layers": [{"type": layer} if isinstance(layer, str) else layer for layer in network]}
        more["network"] = dict(network, input=input or (sample[0] if len(sample) == 1 else sample))
    if loss is not None:
        more["network"] = dict(more.get("network") or {}, loss=loss)
    for name in ("x", "y"):
        if more.get(name) is not None:  # a program may call them X and Y
            capital = re.search(r"\b%s\b" % name.upper(), more.get("program") or "")
            more["data"] = dict(more.get("data") or {}, **{name.upper() if capital else name: more[name]})
        more.pop(name, None)
    if {"atol", "rtol"} & set(more):
        more["tolerance"] = {"atol": more.pop("atol", 0), "rtol": more.pop("rtol", 0)}
    grads = more.get("gradients", 0)
    if hasattr(grads, "keys") and not len(grads) and not {"intermediates", "reveal", "numeric"} & set(more):
        more["gradients"] = None  # {} compares nothing and is refused; None is graded: all of them are missing
    return {name: value for name, value in more.items() if value is not None or name == "gradients"}

def _verdict(entry):
    mark, colour = ("\u2713", "#1a7f37") if entry["passed"] else ("\u2717", "#b42318")
    return ("?", "unexpected", "#5f6368") if entry["status"] == "unexpected" else (mark, entry["status"].replace("_", " "), colour)

class Report:
    """What came of a check: true where it passed, printed a table. `data` is the service's JSON, report["W1"] an entry of it."""

    def __init__(self, data):
        self.passed, self.score, self.points, self.max_points = (data[n] for n in ("passed", "score", "points", "max_points"))
        if not isinstance(self.passed, bool) or not math.isfinite(self.score):
            raise TypeError("no report")
        self.mistakes = data.get("diagnosis", {}).get("mistakes", [])
        self.entries = {e["name"]: e for e in data["parameters"] + data.get("intermediates", []) + data["parameters"]}
        self.head = "%s: %.10g of %.10g points" % ("PASSED" if self.passed else "FAILED", self.points, self.max_points)
        lines = ["  %s %s  %r  %s" % (*_verdict(e)[:2], n, e.get("detail", "")) for n, e in self.entries.items()]
        lines += ["\n  %(id)s\n    %(message)s\n    Hint: %(hint)s" % m for m in self.mistakes]
        self.text = data.get("text", "\n".join([self.head, ""] + lines)).rstrip("\n")  # sent by a service that knows this client
        self.data = {name: value for name, value in data.items() if name != "text"}

    def __repr__(self):
        return self.text

    def __bool__(self):
        return self.passed

    def __getitem__(self, name):
        return self.entries[name]

    def credit(self, points):
        """The last line of nbgrader's cell of so many points: prints why, and returns what this is worth of them."""
        _say(self.text + "\n")
        # What is not above 0 is no partial credit for nbgrader: it gives all points. So nothing is next to nothing.
        return min(float(points), max(self.score * float(points), 1e-300))

    def _repr_html_(self):
        cell, rows, told = '<%s style="color:inherit;text-align:left;padding:4px 10px">%s</%.2s>', [], []
        badge = '<span style="background:{2};color:#fff;padding:1px 8px;border-radius:8px;white-space:nowrap">{0} {1}</span>'
        columns = "".join(cell % ('th scope="col"', name, "th") for name in ("gradient", "verdict", "shape", "max diff", "detail"))
        for name, e in self.entries.items():
            shape, diff = ("" if e.get(n) is None else form % (e[n],) for n, form in (("shape", "%s"), ("max_abs_diff", "%.2e")))
            cells = badge.format(*_verdict(e)), shape, diff, html.escape(e.get("detail", ""))
            rows.append(cell % ('th scope="row"', html.escape(name), "th") + "".join(cell % ("td", c, "td") for c in cells))
        for section in self.text.split("\n\n")[2:]:
            first, _, rest = html.escape(section.strip()).partition("\n")
            if first in ("line by line", "forward", "backward", "reference", "numeric"):
                told.append("<pre>%s\n%s</pre>" % (first, rest))
            elif first != "intermediates":  # they are in the table
                told.append('<p style="max-width:50em"><b>%s</b><br>%s</p>' % (first, rest.replace("\n", "<br>")))
        return "<p><b>%s</b></p><table><tr>%s</tr></table>%s" % (self.head, "</tr><tr>".join([columns] + rows), "".join(told))

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": self.text, "text/html": self._repr_html_(), "application/vnd.gradcheckd+json": self.data}

def check(*arguments, timeout=60, **options):
    """A Report on gradients: check(network, params, X, Y, grads, ...). network is a dict, a list of layers with loss="mse", or a
    program's text. Every other member of the service's request is an option (points={"W1": 2}, tolerance="auto", ...); so are
    atol and rtol, and each argument's own name there (program, parameters, data or x and y, gradients)."""
    deadline = time.monotonic() + timeout
    body, kind = _encode(_request(*arguments, **options), deadline)
    return _ask("/v1/check", deadline, body, kind, "application/vnd.gradcheckd+json, application/json;q=0.9", made=Report)

def assert_gradients(*arguments, **options):
    """check(), but what is wrong is an AssertionError with the report as its text."""
    __tracebackhide__ = True
    report = check(*arguments, **options)
    if not report:
        raise AssertionError(report.text)
    return report

class Run:
    """A training: `loss` and `accuracy` at `epochs`, the trained `parameters`, and what `health` has to say. `data` is all of it."""

    def __init__(self, data):
        self.data, self.loss, self.epochs, self.health = data, data["loss"], data["epochs"], data["health"]
        self.parameters, self.accuracy, self.final = data["parameters"], data.get("accuracy"), data["final"]

    def __repr__(self):
        remarks = "".join("\n  %(id)s: %(message)s %(hint)s" % remark for remark in self.health)
        return "loss %.6g -> %.6g in %d epochs%s" % (self.loss[0], self.loss[-1], self.epochs[-1] + 1, remarks)

    def plot(self, axes=None):
        """The loss curve, by matplotlib, which has to be installed."""
        axes = axes or __import__("matplotlib.pyplot").pyplot.subplots()[1]
        axes.plot(self.epochs, self.loss)
        axes.set(xlabel="epoch", ylabel="loss")
        return axes

def train(*arguments, progress=True, timeout=60, **options):
    """A Run: train(network, params, X, Y, optimizer={"type": "sgd", "lr": 1.0}, epochs=1000). Ctrl-C stops it."""
    deadline = time.monotonic() + timeout
    body, kind = _encode(_request(*arguments, **options), deadline)

    def show(epoch, loss, end=""):
        if progress:
            _say("\repoch %6d of %d  loss %-12.6g%s" % (epoch + 1, options.get("epochs", 1000), loss, end))

    run = _ask("/v1/train", deadline, body, kind, "text/event-stream", lambda point: show(point["epoch"], point["loss"]), Run)
    show(run.epochs[-1], run.loss[-1], "\n")
    return run

LAYERS = """linear flatten layer_norm conv1d conv2d conv_transpose1d conv_transpose2d max_pool1d max_pool2d avg_pool1d avg_pool2d
    relu leaky_relu elu sigmoid tanh softplus silu gelu softmax log_softmax"""  # PyTorch's classes, but for case and underscores
LOSSES = "mse_loss l1_loss smooth_l1_loss huber_loss bce_loss bce_with_logits_loss cross_entropy_loss nll_loss"
KEPT = {"eps": 1e-5, "negative_slope": 0.01, "alpha": 1, "approximate": "none", "beta": 1, "delta": 1, "reduction": "mean", "padding": 0,
        "output_padding": 0, "kernel_size": 0, "stride": 0, "out_channels": 0, "out_features": 0}  # fmt: skip
FIXED = {"dilation": 1, "groups": 1, "padding_mode": "zeros", "ceil_mode": False, "return_indices": False, "count_include_pad": True,
         "divisor_override": None, "start_dim": 1, "end_dim": -1, "label_smoothing": 0, "ignore_index": -100}  # fmt: skip

def _known(module, names, name, pointer):
    """A layer or a loss of PyTorch's as the service has it, with what is not the default."""
    kind, known = type(module).__name__, {name.replace("_", ""): name for name in names.split()}
    if kind.lower() not in known:
        nearest = known[difflib.get_close_matches(getattr(module, "__name__", kind).lower(), known, 1, 0)[0]]
        raise Problem("%s: the service has no %s; the nearest is %s" % (name, kind, nearest), "unknown_layer", pointer)
    made = {"type": re.sub("_loss$", "", known[kind.lower()])}
    for key, usual in dict(FIXED if names is LAYERS else dict(FIXED, weight=None, pos_weight=None), **KEPT).items():
        value = getattr(module, key, usual)
        value = value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value  # (2, 2) is 2
        if hasattr(value, "shape") or value != usual and (key not in KEPT or value in ("none", "same", "valid") or kind == "Softplus"):
            raise Problem("%s: the service has no %s with %s=%s" % (name, kind, key, value), "out_of_range", pointer)
        made.update({key: value} if value != usual else {})
    return made

def _children(model, prefix=""):
    for name, module in model._modules.items():
        yield from _children(module, prefix + name + ".") if type(module).__name__ == "Sequential" else [(prefix + name, module)]

def from_torch(model, loss, X=None):
    """network, parameters and convention of an nn.Sequential and a loss: check(x=X, y=Y, gradients=..., **from_torch(...))."""
    if type(model).__name__ != "Sequential":
        raise Problem("from_torch takes an nn.Sequential; this is %s" % type(model).__name__, "wrong_type")
    layers, tensors, shape = [], {}, _shape(X)
    rank, input = len(shape) or 2, shape[1] if len(shape) == 2 else shape[1:]
    for name, module in _children(model):
        layer = _known(module, LAYERS, "layer " + name, "/network/layers/%d" % len(layers))
        own = {"%s.%s" % (name, key): p for key, p in module._parameters.items() if p is not None}
        rank, norm = 2 if layer["type"] == "flatten" else rank, layer["type"] == "layer_norm"
        refused = "a parameter of its own only" if any(p is q for p in own.values() for q in tensors.values()) else ""
        if getattr(module, "dim", -1) not in (-1, rank - 1) or len(getattr(module, "normalized_shape", [0])) > 1:
            refused = "the last axis only"
        if refused or norm and len(own) == 1:
            raise Problem("layer %s: %s takes %s" % (name, layer["type"], refused or "a bias, too"), "out_of_range")
        if "bias" in module._parameters and module.bias is None:
            layer["affine" if norm else "bias"] = False
        input = input or (getattr(module, "in_features", None) if not layers else None)
        layers.append(layer if name == str(len(layers)) else dict(layer, name=name))
        tensors.update(own)
    network = {"input": input, "layers": layers, "loss": _known(loss, LOSSES, "the loss", "/network/loss")}
    return {"network": network, "parameters": {n: p.detach().clone() for n, p in tensors.items()}, "convention": "pytorch"}

def main(words):
    """What a shell calls: prints the report, or why there is none, and returns the exit status."""
    try:
        form = words.pop(words.index("--format") + 1) if "--format" in words else "text"
        lab, *rest = [open(name, "rb").read() for name in words if name != "--format"]
        request, deadline, files = json.loads(lab), time.monotonic() + 60, {}
        if rest and not rest[0].startswith(b"PK"):
            request["gradients"] = json.loads(rest[0])
        elif rest and _takes_npz(deadline):
            files["gradients"] = rest[0]
        elif rest:
            request["gradients"] = dict(__import__("numpy").load(io.BytesIO(rest[0])))
        body, kind = _encode(request, deadline, files)
        status, report = _ask("/v1/check?strict=1&format=" + urllib.parse.quote(form), deadline, body, kind, "*/*", made=bytes)
        _say(report.decode())
        return 0 if status == 200 else 1
    except Exception as error:
        _say("%s\n" % (error if words else __doc__))
        return 75 if isinstance(error, Unavailable) else 2

if __name__ == "__main__" and "__file__" in globals():  # a notebook's cell that was %load-ed has no file
    sys.exit(main(sys.argv[1:]))
