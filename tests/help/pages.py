"""The pages of the help as the daemon serves them, read into what tests ask of them."""

import html.parser
import pathlib
import re

from daemon import Client, get

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SOURCES = ROOT / "static" / "help"
NAMES = sorted(path.stem for path in SOURCES.glob("*.html"))
EMPTY = {"meta", "link", "br", "img", "hr", "input"}


class Block:
    """What stands in a <pre>: its class, its other attributes, and its text, in which commands (<kbd>) are marked."""

    def __init__(self, attributes):
        self.kind = attributes.pop("class", "")
        self.attributes = attributes
        self.parts = [("text", "")]

    @property
    def text(self):
        return "".join(text for _, text in self.parts)

    def commands(self):
        """(command, output) of each <kbd>."""
        found = []
        for kind, text in self.parts:
            if kind == "kbd":
                found.append((text, ""))
            elif found:
                found[-1] = (found[-1][0], found[-1][1] + re.sub(r"\n?\$ $", "", text).lstrip("\n"))
        return found


class Page(html.parser.HTMLParser):
    """Fails where tags do not close in order, or an id stands there twice."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.ids, self.links, self.words, self.blocks, self.comments = [], [], set(), [], []
        self.text, self.open, self.word = "", [], None
        self.prose, self.loose = "", ""  # what is no code; what stands in no paragraph
        self.feed(text)
        self.close()
        assert not self.open, "not closed: %s" % self.open
        assert len(set(self.ids)) == len(self.ids), "ids twice: %s" % [one for one in self.ids if self.ids.count(one) > 1]

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag not in EMPTY:
            self.open.append(tag)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        for name in ("href", "src"):
            if name in attributes:
                self.links.append(attributes[name])
        assert "style" not in attributes and not any(name.startswith("on") for name in attributes), "nothing inline: %s" % attributes
        assert tag != "style" and (tag != "script" or "src" in attributes), "nothing inline"
        if tag == "pre":
            self.blocks.append(Block(attributes))
        if tag == "kbd":
            self.blocks[-1].parts.append(("kbd", ""))
        if tag == "code":
            self.word = ""

    def handle_endtag(self, tag):
        last = self.open.pop()
        assert last == tag, "</%s> in <%s>" % (tag, last)
        if tag == "kbd":
            self.blocks[-1].parts.append(("text", ""))
        if tag == "code":
            self.words.add(self.word)
            self.word = None

    def handle_data(self, data):
        self.text += data
        if not {"code", "pre"} & set(self.open):
            self.prose += data
        if self.open and self.open[-1] in ("body", "main"):
            self.loose += data.strip()
        if self.word is not None:
            self.word += data
        if "pre" in self.open:
            kind, text = self.blocks[-1].parts[-1]
            self.blocks[-1].parts[-1] = (kind, text + data)

    def handle_comment(self, data):
        self.comments.append(data)


def ask(daemon, path, **more):
    with Client(daemon) as client:
        return client.ask(get(path, **more))


def load(daemon):
    """All pages, by name."""
    return {name: Page(ask(daemon, "/help/" + name).body.decode()) for name in NAMES}
