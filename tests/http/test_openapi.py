"""static/openapi.json: well-formed, complete, and true of the daemon.

Needs nothing but the standard library. Where jsonschema can be imported, examples and real answers are also validated
against the schemas.
"""

import copy
import http.client
import json
import math
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "diagnosis"))

import report
from daemon import DaemonTest

try:
    import jsonschema
except ImportError:
    jsonschema = None

DESCRIPTION = pathlib.Path(__file__).resolve().parent.parent.parent / "static" / "openapi.json"
DIAGNOSED = 40  # cases of the diagnosis's test set that are asked for
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
SCHEMA_WORDS = {"$ref", "type", "enum", "const", "oneOf", "anyOf", "allOf", "not", "properties", "required",
                "additionalProperties", "items", "minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum",
                "exclusiveMinimum", "exclusiveMaximum", "default", "description", "discriminator", "examples"}


def read_description():
    def no_duplicates(pairs):
        keys = [key for key, _ in pairs]
        assert len(keys) == len(set(keys)), f"duplicate keys among {keys}"
        return dict(pairs)

    return json.loads(DESCRIPTION.read_text(encoding="utf-8"), object_pairs_hook=no_duplicates)


def resolve(description, reference):
    assert reference.startswith("#/"), reference
    place = description
    for step in reference[2:].split("/"):
        place = place[step.replace("~1", "/").replace("~0", "~")]
    return place


def walk(value, path=()):
    """Every dict of the document with its path; examples are data, not description."""
    if isinstance(value, dict):
        yield path, value
        for key, part in value.items():
            if key not in ("example", "examples") or "properties" in path[-1:]:
                yield from walk(part, path + (key,))
    elif isinstance(value, list):
        for position, part in enumerate(value):
            yield from walk(part, path + (position,))


def operations(description):
    for path, item in description["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield path, method, operation


class StructureTest(unittest.TestCase):
    def setUp(self):
        self.description = read_description()

    def test_head(self):
        self.assertRegex(self.description["openapi"], r"^3\.1\.\d+$")
        for member in ("title", "version", "license"):
            self.assertIn(member, self.description["info"])
        self.assertLessEqual(set(self.description),
                             {"openapi", "info", "servers", "tags", "paths", "components", "security", "externalDocs"})

    def test_every_reference_resolves_and_every_component_is_used(self):
        used = set()
        for path, value in walk(self.description):
            if "$ref" in value:
                with self.subTest(at=path):
                    self.assertIsNotNone(resolve(self.description, value["$ref"]))
                    used.add(value["$ref"])
            for scheme in [name for choice in value.get("security", []) for name in choice]:
                used.add(f"#/components/securitySchemes/{scheme}")  # which are used by name
        for kind, members in self.description["components"].items():
            for name in members:
                self.assertIn(f"#/components/{kind}/{name}", used)

    def test_operations(self):
        identifiers, tags = [], {tag["name"] for tag in self.description["tags"]}
        for path, method, operation in operations(self.description):
            with self.subTest(path=path, method=method):
                self.assertTrue(path.startswith("/"))
                identifiers.append(operation["operationId"])
                self.assertTrue(operation["summary"])
                self.assertLessEqual(set(operation.get("tags", [])), tags)
                self.assertTrue(operation["responses"])
                for status, response in operation["responses"].items():
                    self.assertRegex(status, r"^([1-5]\d\d|default)$")
                    if "$ref" in response:
                        response = resolve(self.description, response["$ref"])
                    self.assertTrue(response["description"])
                    for media in response.get("content", {}).values():
                        self.assertIn("schema", media)
                for parameter in operation.get("parameters", []):
                    self.assertIn(parameter["in"], ("query", "header", "path", "cookie"))
                    self.assertIn("schema", parameter)
        self.assertEqual(len(identifiers), len(set(identifiers)))

    def test_schemas_use_known_words(self):
        def schema(value, at):
            if isinstance(value, bool):
                return
            with self.subTest(at=at):
                self.assertLessEqual(set(value), SCHEMA_WORDS)
                if "properties" in value:
                    self.assertLessEqual(set(value.get("required", [])), set(value["properties"]))
            for name, part in value.get("properties", {}).items():
                schema(part, f"{at}.{name}")
            for word in ("items", "additionalProperties", "not"):
                if word in value:
                    schema(value[word], f"{at}.{word}")
            for word in ("oneOf", "anyOf", "allOf"):
                for position, part in enumerate(value.get(word, [])):
                    schema(part, f"{at}.{word}[{position}]")

        for name, value in self.description["components"]["schemas"].items():
            schema(value, name)

    @unittest.skipIf(jsonschema is None, "jsonschema is not installed")
    def test_schemas_are_schemas(self):
        for value in self.description["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(value)


class TruthTest(DaemonTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.description = read_description()
        cls.connection = http.client.HTTPConnection(cls.daemon.host, cls.daemon.port, timeout=60)
        cls.addClassCleanup(cls.connection.close)

    def ask(self, method, path, body=None, headers=None):
        data = None if body is None else json.dumps(body)
        self.connection.request(method, path, data, {"Content-Type": "application/json", **(headers or {})} if data else {})
        response = self.connection.getresponse()
        return response.status, response.headers, response.read()

    def validate(self, value, name):
        """Against a schema of the description, where jsonschema is there."""
        if jsonschema is not None:
            root = {"$ref": f"#/components/schemas/{name}", "components": self.description["components"]}
            jsonschema.Draft202012Validator(root).validate(value)

    def assert_members(self, value, name):
        """Has what the schema of that name requires, and nothing that it does not list."""
        schema = self.description["components"]["schemas"][name]
        self.assertLessEqual(set(schema.get("required", [])), set(value), name)
        self.assertLessEqual(set(value), set(schema["properties"]), name)

    def assert_diagnosis(self, diagnosis):
        schemas = self.description["components"]["schemas"]
        self.assert_members(diagnosis, "Diagnosis")
        where = schemas["Diagnosis"]["properties"]["first_wrong"]
        place = "line" if "line" in diagnosis["first_wrong"] else "layer"
        self.assertEqual(set(diagnosis["first_wrong"]), {"parameter", place})
        self.assertLessEqual(set(diagnosis["first_wrong"]), set(where["properties"]))
        for mistake in diagnosis["mistakes"]:
            self.assert_members(mistake, "Mistake")
            self.assertTrue(mistake["message"] and mistake["hint"])
            self.assertTrue(place == "line" or mistake["layers"])
            self.assertEqual("layers" in mistake, place == "layer")
            self.assertTrue(mistake["parameters"] or mistake["id"] == "forward_wrong")
            for layer in mistake.get("layers", []):
                self.assertTrue(layer == "loss" or type(layer) is int, layer)
            self.assertEqual("sample" in mistake, mistake["id"] == "single_sample")
            for alternative in mistake.get("alternatives", []):
                self.assert_members(alternative, "KnownMistake")
            for known in [mistake, *mistake.get("alternatives", [])]:
                self.assertIn(known["id"], schemas["MistakeId"]["enum"])

    def operation(self, path, method):
        return self.description["paths"][path][method]

    def examples(self, path="/v1/check"):
        media = self.operation(path, "post")["requestBody"]["content"]["application/json"]
        for name, example in media["examples"].items():
            yield name, copy.deepcopy(example["value"])

    def test_the_daemon_serves_it(self):
        status, headers, body = self.ask("GET", "/openapi.json")
        self.assertEqual(status, 200)
        self.assertEqual(headers.get_content_type(), "application/json")
        self.assertEqual(json.loads(body), self.description)

    def test_examples_are_accepted(self):
        wrong = self.operation("/v1/check", "post")["responses"]["200"]["content"]["application/json"]["examples"]
        for name, request in self.examples():
            with self.subTest(example=name):
                self.validate(request, "CheckRequest")
                status, headers, body = self.ask("POST", "/v1/check", request)
                answer = json.loads(body)
                self.assertEqual(status, 200, answer)
                self.assertIn("Server-Timing", headers)
                self.validate(answer, "Report")
                self.assertLessEqual(set(answer), set(self.description["components"]["schemas"]["Report"]["properties"]))
                self.assertIs(answer["passed"], name not in wrong)
                self.assertEqual("diagnosis" in answer, not answer["passed"])
                for kind, schema in (("parameters", "ParameterEntry"), ("intermediates", "IntermediateEntry")):
                    known = set(self.description["components"]["schemas"][schema]["properties"])
                    for entry in answer.get(kind, []):
                        self.assertLessEqual(set(entry), known)

    def test_example_answers_are_what_is_answered(self):
        requests = dict(self.examples())
        answers = self.operation("/v1/check", "post")["responses"]["200"]["content"]["application/json"]["examples"]
        for name, example in answers.items():
            with self.subTest(example=name):
                expected = example["value"]
                self.validate(expected, "Report")
                answer = json.loads(self.ask("POST", "/v1/check", requests[name])[2])
                self.assertEqual(list(answer), list(expected))
                self.assertEqual(answer["diagnosis"], expected["diagnosis"])
                self.assertEqual([list(entry) for entry in answer["parameters"]],
                                 [list(entry) for entry in expected["parameters"]])
                for ours, theirs in zip(answer["parameters"], expected["parameters"]):
                    for member in ("name", "shape", "status", "submitted_shape", "points", "detail"):
                        self.assertEqual(ours.get(member), theirs.get(member))

    def test_diagnoses_fit_their_schema(self):
        cases = {kind: list(report.read_cases((kind,))) for kind in ("single", "pair", "triple", "wild", "noise")}
        chosen = [case for some in cases.values() for case in some[:: len(some) * len(cases) // DIAGNOSED]]
        self.assertGreaterEqual(len(chosen), DIAGNOSED)
        folders = (pathlib.Path(report.HERE).parent / "cases").glob("forward-*")
        chosen += [{"name": folder.name, "request": json.loads((folder / "request.json").read_text())}
                   for folder in sorted(folders) if not (folder / "query").exists() and (folder / "status").read_text() == "200\n"]
        programs = (pathlib.Path(report.HERE).parent / "programs" / "wrong.ndjson").read_text().splitlines()
        chosen += [case for case in map(json.loads, programs[::4]) if "answers" in case]
        seen = set()
        for case in chosen:
            with self.subTest(case=case["name"]):
                status, headers, body = self.ask("POST", "/v1/check", case["request"])
                answer = json.loads(body)
                self.assertEqual(status, 200, answer)
                self.assertRegex(headers["Server-Timing"], r"\bdiagnose;dur=\d")
                self.validate(answer, "Report")
                self.assert_members(answer, "Report")
                self.assert_diagnosis(answer["diagnosis"])
                seen.update(member for mistake in answer["diagnosis"]["mistakes"] for member in mistake)
        self.assertEqual(seen, set(self.description["components"]["schemas"]["Mistake"]["properties"]))

    def test_diagnosis_can_be_left_out(self):
        wrong = dict(self.examples())["xor_bias_not_summed"]
        for diagnose in (True, False):
            _, _, body = self.ask("POST", "/v1/check", {**wrong, "diagnose": diagnose})
            self.assertEqual("diagnosis" in json.loads(body), diagnose)

    def test_a_trace_fits_its_schema(self):
        request = {"program": "h = x * 2\nh = np.tanh(h) * w\nloss = h", "parameters": {"x": [1], "w": [3]}, "gradients": {}, "trace": True}
        self.validate(request, "CheckRequest")
        status, _, body = self.ask("POST", "/v1/check", request)
        answer = json.loads(body)
        self.assertEqual(status, 200, answer)
        self.validate(answer, "Report")
        self.assert_members(answer, "Report")
        seen = set()
        for entry in answer["trace"]:
            self.assert_members(entry, "TraceEntry")
            seen.update(entry)
        self.assertEqual(seen, set(self.description["components"]["schemas"]["TraceEntry"]["properties"]))

    def test_every_kind_of_entry_fits_its_schema(self):
        _, request = next(self.examples())
        right = request["gradients"]
        request["gradients"] = {"W1": right["W1"], "b1": [1, 2], "W2": [[None, 0], [0, 0], [0, 0]], "b2": "zero",
                                "W3": [[0], [0]], "W9": [1]}
        request["intermediates"] = {"z1": [[0]], "y_hat": None, "nonsense": 1}
        status, _, body = self.ask("POST", "/v1/check", request)
        answer = json.loads(body)
        self.assertEqual(status, 200, answer)
        self.validate(answer, "Report")
        statuses = [entry["status"] for entry in answer["parameters"]]
        self.assertEqual(statuses, ["match", "shape_mismatch", "not_finite", "not_a_tensor", "mismatch", "missing", "unexpected"])
        for kind, schema in (("parameters", "ParameterEntry"), ("intermediates", "IntermediateEntry")):
            for entry in answer[kind]:
                self.assertLessEqual(set(entry), set(self.description["components"]["schemas"][schema]["properties"]), entry)

    def test_every_query_parameter(self):
        wrong = dict(self.examples())["xor_bias_not_summed"]
        for query, accept, expected, media in (("?format=json", None, 200, "application/json"),
                                               ("?format=text", None, 200, "text/plain"),
                                               ("", "text/plain", 200, "text/plain"),
                                               ("?format=client", None, 200, "application/vnd.gradcheckd+json"),
                                               ("", "application/vnd.gradcheckd+json", 200, "application/vnd.gradcheckd+json"),
                                               ("?strict=0", None, 200, "application/json"),
                                               ("?strict=1", None, 422, "application/json"),
                                               ("?strict=1&format=text", None, 422, "text/plain")):
            with self.subTest(query=query, accept=accept):
                status, headers, _ = self.ask("POST", "/v1/check" + query, wrong, {"Accept": accept} if accept else None)
                self.assertEqual(status, expected)
                self.assertEqual(headers.get_content_type(), media)

    def test_formats_and_their_options(self):
        """All that the description lists is there, and answered as it says."""
        request = next(self.examples())[1]
        operation = self.operation("/v1/check", "post")
        described = {parameter["name"]: parameter["schema"] for parameter in operation["parameters"]}
        known = json.loads(self.ask("GET", "/v1/capabilities")[2])["formats"]
        self.assertEqual(described.pop("format")["enum"], known)
        self.assertEqual(set(described), {"strict", "visibility", "hints", "suite", "file", "scores"})
        for name in known:
            status, headers, body = self.ask("POST", f"/v1/check?format={name}", request)
            self.assertEqual(status, 200, body)
            self.assertIn(headers.get_content_type(), operation["responses"]["200"]["content"])
            if headers.get_content_type() == "application/json" and name != "json":
                self.validate(json.loads(body), "PlatformDocument")
        taken = set()
        for name, schema in described.items():
            for value in schema.get("enum", ["x"]):
                for kind in known:
                    status, _, body = self.ask("POST", f"/v1/check?format={kind}&{name}={value}", request)
                    self.assertIn(status, (200, 400))
                    if status == 200:
                        taken.add((kind, name, value))
        self.assertEqual({(name, value) for _, name, value in taken}, {(name, value) for name in described for value in described[name].get("enum", ["x"])})
        self.assertEqual({(kind, name) for kind, name, _ in taken if name != "strict"},
                         {("gradescope", "visibility"), ("gradescope", "hints"), ("junit", "suite"), ("junit", "file"), ("github", "suite"),
                          ("github", "file"), ("autolab", "scores")})

    def test_problems_fit_their_schema(self):
        for body in ({}, {"network": 1}, {**next(self.examples())[1], "colour": "blue"}):
            status, headers, answer = self.ask("POST", "/v1/check", body)
            self.assertEqual(status, 400)
            self.assertEqual(headers.get_content_type(), "application/problem+json")
            problem = json.loads(answer)
            self.validate(problem, "Problem")
            schema = self.description["components"]["schemas"]["Problem"]["properties"]
            self.assertIn(problem["code"], schema["code"]["enum"])
            self.assertLessEqual(set(problem), set(schema))

    def test_faults_in_the_query_point_at_nothing(self):
        for query in ("?format=xml", "?strict=2"):
            status, _, body = self.ask("POST", "/v1/check" + query, next(self.examples())[1])
            problem = json.loads(body)
            self.validate(problem, "Problem")
            self.assertEqual((status, problem["code"]), (400, "out_of_range"))
            self.assertNotIn("pointer", problem)

    def test_every_get_answers_as_described(self):
        for path, method, operation in operations(self.description):
            if method != "get":
                continue
            with self.subTest(path=path):
                status, headers, body = self.ask("GET", path)
                self.assertEqual(status, 200)
                response = operation["responses"]["200"]
                if "$ref" in response:
                    response = resolve(self.description, response["$ref"])
                self.assertIn(headers.get_content_type(), response["content"])
                self.assertTrue(body)
                status, _, body = self.ask("HEAD", path)
                self.assertEqual((status, body), (200, b""))

    def test_capabilities_fit_their_schema(self):
        _, _, body = self.ask("GET", "/v1/capabilities")
        answer = json.loads(body)
        self.validate(answer, "Capabilities")
        self.assertEqual(answer["version"], self.description["info"]["version"])
        self.assertEqual([mistake["id"] for mistake in answer["mistakes"]],
                         self.description["components"]["schemas"]["MistakeId"]["enum"])
        self.assertEqual([remark["id"] for remark in answer["health"]],
                         self.description["components"]["schemas"]["RemarkId"]["enum"])
        self.assertIn("diagnose_seconds", answer["limits"])
        schemas = self.description["components"]["schemas"]
        self.assertEqual(schemas["BoundaryRequest"]["properties"]["resolution"]["maximum"], answer["limits"]["max_resolution"])
        self.assertIn(f"{answer['limits']['max_points']:g} points",
                      schemas["TrainRequest"]["properties"]["record_every"]["description"])

    def test_layers_and_losses_are_those_of_the_capabilities(self):
        _, _, body = self.ask("GET", "/v1/capabilities")
        answer, schemas = json.loads(body), self.description["components"]["schemas"]

        def described(union):
            found = {}
            for part in schemas[union]["oneOf"]:
                if "$ref" in part:
                    properties = resolve(self.description, part["$ref"])["properties"]
                    found[properties["type"]["const"]] = set(properties) - {"type", "name", "inputs", "shares", "reduction", "scale", "l2", "l1"}
            return found

        def offered(*kinds):
            return {op["name"]: {attribute["name"] for attribute in op.get("attributes", [])}
                    for kind in kinds for op in answer.get(kind, [])}

        self.assertEqual(described("Layer"), offered("layers", "activations"))
        self.assertEqual(described("Loss"), offered("losses"))

    def test_what_takes_several_inputs_requires_them(self):
        _, _, body = self.ask("GET", "/v1/capabilities")
        answer, schemas = json.loads(body), self.description["components"]["schemas"]
        parts = [resolve(self.description, part["$ref"]) for part in schemas["Layer"]["oneOf"]]
        layers = {part["properties"]["type"]["const"]: part for part in parts}
        for op in answer["layers"] + answer["activations"]:
            with self.subTest(layer=op["name"]):
                inputs = resolve(self.description, layers[op["name"]]["properties"]["inputs"]["$ref"])
                self.assertEqual(op["inputs"], {"least": inputs["minItems"], "most": inputs["maxItems"]})
                self.assertEqual("inputs" in layers[op["name"]]["required"], op["inputs"]["least"] > 1)
        self.assertEqual([op["name"] for op in answer["losses"] if op["target"] == "upstream"], ["upstream"])
        self.assertEqual({op["target"] for op in answer["losses"]}, {"y", "upstream"})

    # --- training ---

    def assert_health(self, health, layers):
        for remark in health:
            self.assert_members(remark, "Remark")
            self.assertIn(remark["id"], self.description["components"]["schemas"]["RemarkId"]["enum"])
            self.assertIn(remark["layer"], (None, *range(layers)))
            self.assertTrue(remark["message"] and remark["hint"])
            self.assertEqual("units" in remark, remark["id"] == "dead_relu")

    def assert_training(self, answer, request):
        self.validate(answer, "Training")
        self.assert_members(answer, "Training")
        self.assert_members(answer["final"], "TrainingEnd")
        self.assertEqual("boundary" in answer, "boundary" in request)
        if "boundary" in answer:
            self.assert_members(answer["boundary"], "Boundary")
        self.assertEqual(list(answer["gradient_norms"]), list(answer["parameters"]))
        for curve in (answer["loss"], answer.get("accuracy", answer["loss"]), *answer["gradient_norms"].values()):
            self.assertEqual(len(curve), len(answer["epochs"]))
        self.assertEqual("accuracy" in answer, "accuracy" in answer["final"])
        self.assert_health(answer["health"], len(request.get("network", {"layers": []})["layers"]))

    def assert_alike(self, found, expected, at=""):
        """The same, but for what rounding may make of numbers."""
        self.assertIs(type(found) in (int, float), type(expected) in (int, float), at)
        if isinstance(expected, dict):
            self.assertEqual(list(found), list(expected), at)
            for name in expected:
                self.assert_alike(found[name], expected[name], f"{at}/{name}")
        elif isinstance(expected, list):
            self.assertEqual(len(found), len(expected), at)
            for position, pair in enumerate(zip(found, expected)):
                self.assert_alike(*pair, f"{at}/{position}")
        elif type(expected) in (int, float):
            self.assertTrue(math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-12), f"{at}: {found}, not {expected}")
        else:
            self.assertEqual(found, expected, at)

    def events(self, stream):
        """(event, data) for each, as the description says that they are written."""
        *blocks, rest = stream.split("\n\n")
        self.assertEqual(rest, "")
        for block in blocks:
            event, data = block.split("\n")
            self.assertTrue(event.startswith("event: ") and data.startswith("data: "), block[:200])
            yield event.removeprefix("event: "), json.loads(data.removeprefix("data: "))

    def assert_stream(self, stream, request):
        """A whole one, which ends well; what it answers."""
        described = self.operation("/v1/train", "post")["responses"]["200"]["content"]["text/event-stream"]["x-events"]
        names = []
        for name, data in self.events(stream):
            names.append(name)
            schema = described[name]["$ref"].rsplit("/", 1)[1]
            self.validate(data, schema)
            self.assert_members(data, schema)
            if name == "epoch":
                self.assert_health(data["health"], len(request.get("network", {"layers": []})["layers"]))
        self.assertEqual(names, ["epoch"] * (len(names) - 1) + ["done"])
        self.assertGreater(len(names), 1)
        self.assert_training(data, request)
        return data

    def test_training_examples_are_accepted(self):
        for name, request in self.examples("/v1/train"):
            with self.subTest(example=name):
                self.validate(request, "TrainRequest")
                status, headers, body = self.ask("POST", "/v1/train", request)
                answer = json.loads(body)
                self.assertEqual(status, 200, answer)
                self.assertEqual(headers.get_content_type(), "application/json")
                self.assertRegex(headers["Server-Timing"], r"^read;dur=[\d.]+, train;dur=[\d.]+, write;dur=[\d.]+$")
                self.assert_training(answer, request)
                self.assertEqual(answer["health"] == [], name in ("xor", "all_options", "program"), answer["health"])

                status, headers, stream = self.ask("POST", "/v1/train", request, {"Accept": "text/event-stream"})
                self.assertEqual((status, headers.get_content_type()), (200, "text/event-stream"))
                self.assertNotIn("Server-Timing", headers)
                self.assertEqual(self.assert_stream(stream.decode(), request), answer)

    def test_training_example_answers_are_what_is_answered(self):
        requests = dict(self.examples("/v1/train"))
        content = self.operation("/v1/train", "post")["responses"]["200"]["content"]
        for name, example in content["application/json"]["examples"].items():
            with self.subTest(example=name):
                self.assert_training(example["value"], requests[name])
                self.assert_alike(json.loads(self.ask("POST", "/v1/train", requests[name])[2]), example["value"])
        for name, example in content["text/event-stream"]["examples"].items():
            with self.subTest(stream=name):
                self.assert_stream(example["value"], requests[name])
                _, _, stream = self.ask("POST", "/v1/train", requests[name], {"Accept": "text/event-stream"})
                found, expected = list(self.events(stream.decode())), list(self.events(example["value"]))
                self.assert_alike(found[0][1], expected[0][1])
                self.assert_alike(found[-1][1], expected[-1][1])

    def test_trainings_of_all_kinds_fit_their_schema(self):
        _, request = next(self.examples("/v1/train"))
        kinds = [{"convention": "columns", "data": {"x": [[0, 0, 1, 1], [0, 1, 0, 1]], "y": [[0, 1, 1, 0]]}},
                 {"convention": "pytorch"}, {"dtype": "float32"}, {"data": {"x": [[0, 1]], "y": [[0.5]]}},
                 {"batch_size": 3, "record_every": 1, "epochs": 30}, {"boundary": {}}, {"optimizer": {"type": "sgd", "lr": 0}}]
        kinds += [{"optimizer": {"type": name}} for name in self.optimizers()]
        kinds.append({"network": {"input": 2, "layers": [{"type": "linear", "out_features": 1}], "loss": "mse"}, "epochs": 30,
                      "optimizer": {"type": "sgd", "lr": 1e200}})
        kinds.append({**kinds[-1], "batch_size": 1})  # diverges within the first epoch
        for change in kinds:
            with self.subTest(change=change):
                changed = {**request, **change}
                self.validate(changed, "TrainRequest")
                status, _, body = self.ask("POST", "/v1/train", changed)
                answer = json.loads(body)
                self.assertEqual(status, 200, answer)
                self.assert_training(answer, changed)

    def test_the_rest_of_the_lab(self):
        """Updates by hand, landscapes, singular values: examples are taken, and what is answered is as described."""
        for path, request_schema, answer_schema in (("/v1/optimizer_step", "StepRequest", "StepReport"),
                                                    ("/v1/landscape", "LandscapeRequest", "Landscape"), ("/v1/svd", "SvdRequest", "Svd")):
            count = 0
            for name, request in self.examples(path):
                with self.subTest(path=path, example=name):
                    self.validate(request, request_schema)
                    status, headers, body = self.ask("POST", path, request)
                    answer = json.loads(body)
                    self.assertEqual((status, headers.get_content_type()), (200, "application/json"), answer)
                    self.validate(answer, answer_schema)
                    self.assert_members(answer, answer_schema)
                    count += 1
            self.assertGreater(count, 0)
            status, _, body = self.ask("POST", path, {"colour": "blue"})
            self.validate(json.loads(body), "Problem")
            self.assertEqual((status, json.loads(body)["code"]), (400, "unknown_member"))

    def test_steps_of_all_kinds_fit_their_schema(self):
        examples = dict(self.examples("/v1/optimizer_step"))
        answer = json.loads(self.ask("POST", "/v1/optimizer_step", examples["adam"])[2])
        self.assertEqual([mistake["id"] for mistake in answer["diagnosis"]["mistakes"]], ["bias_correction_missing"])
        self.assertTrue(json.loads(self.ask("POST", "/v1/optimizer_step", examples["momentum"])[2])["passed"])
        for updated in ({}, [], {"parameters": {"w": "?", "q": 1}, "state": {"v": [1], "m": {}, "step": "x"}}):
            for example in examples.values():
                status, _, body = self.ask("POST", "/v1/optimizer_step", {**example, "updated": updated, "reveal": True})
                self.assertEqual(status, 200, body)
                self.validate(json.loads(body), "StepReport")

    def test_training_problems_fit_their_schema(self):
        good = dict(self.examples("/v1/train"))["all_options"]
        for change, status, code, pointer in (
                ({"gradients": {}}, 400, "unknown_member", "/gradients"),
                ({"optimizer": {"type": "adm"}}, 400, "out_of_range", "/optimizer/type"),
                ({"optimizer": {"type": "adam", "betas": [0.9, 1]}}, 400, "out_of_range", "/optimizer/betas/1"),
                ({"optimizer": {"type": "adam", "momentum": 0.9}}, 400, "unknown_member", "/optimizer/momentum"),
                ({"optimizer": {"type": "sgd", "nesterov": True}}, 400, "out_of_range", "/optimizer/nesterov"),
                ({"epochs": 0}, 400, "out_of_range", "/epochs"),
                ({"epochs": 200000, "record_every": 1}, 400, "out_of_range", "/record_every"),
                ({"boundary": {"resolution": 1}}, 400, "out_of_range", "/boundary/resolution"),
                ({"boundary": {"x": [1, 0]}}, 400, "out_of_range", "/boundary/x"),
                ({"epochs": 10**12, "record_every": 10**11}, 422, "too_much_work", "")):
            for accept in ("application/json", "text/event-stream"):
                with self.subTest(change=change, accept=accept):
                    found, headers, body = self.ask("POST", "/v1/train", {**good, **change}, {"Accept": accept})
                    problem = json.loads(body)
                    self.validate(problem, "Problem")
                    self.assert_members(problem, "Problem")
                    self.assertEqual(headers.get_content_type(), "application/problem+json")
                    self.assertEqual((found, problem["code"], problem.get("pointer", "")), (status, code, pointer))

    def optimizers(self):
        """The schemas by type."""
        schemas = self.description["components"]["schemas"]
        parts = [resolve(self.description, part["$ref"]) for part in schemas["Optimizer"]["oneOf"]]
        return {part["properties"]["type"]["const"]: part for part in parts}

    def test_optimizers_are_those_of_the_capabilities(self):
        _, _, body = self.ask("GET", "/v1/capabilities")
        described = self.optimizers()
        self.assertEqual({op["name"]: {attribute["name"]: (attribute["type"], attribute["default"]) for attribute in op["attributes"]}
                          for op in json.loads(body)["optimizers"]},
                         {kind: {name: (part["type"], part["default"]) for name, part in schema["properties"].items() if name != "type"}
                          for kind, schema in described.items()})
        for kind, schema in described.items():
            self.assertEqual(self.description["components"]["schemas"]["Optimizer"]["discriminator"]["mapping"][kind].rsplit("/", 1)[1],
                             next(name for name, part in self.description["components"]["schemas"].items() if part is schema))

    def test_ranges_of_the_optimizers(self):
        """What the description allows is taken, what lies just beyond is refused."""
        _, request = next(self.examples("/v1/train"))
        request.update(epochs=1)

        def answered(kind, **options):
            status, _, body = self.ask("POST", "/v1/train", {**request, "optimizer": {"type": kind, **options}})
            return status if status == 200 else json.loads(body)["code"]

        for kind, schema in self.optimizers().items():
            for name, part in schema["properties"].items():
                with self.subTest(optimizer=kind, option=name):
                    if name == "betas":
                        below = math.nextafter(part["items"]["exclusiveMaximum"], 0)
                        self.assertEqual(answered(kind, betas=[part["items"]["minimum"], below]), 200)
                        for wrong in ([-1e-9, 0.5], [0.5, part["items"]["exclusiveMaximum"]]):
                            self.assertEqual(answered(kind, betas=wrong), "out_of_range")
                    elif part.get("type") == "number":
                        self.assertEqual(answered(kind, **{name: part.get("minimum", -2)}), 200)
                        self.assertEqual(answered(kind, **{name: 2}), 200)
                        if "minimum" in part:
                            self.assertEqual(answered(kind, **{name: math.nextafter(part["minimum"], -1)}), "out_of_range")


if __name__ == "__main__":
    unittest.main()
