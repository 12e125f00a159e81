"""How the pages are served, and where their links lead."""

import pathlib
import re
import unittest
import urllib.parse

import pages
from daemon import DaemonTest
from pages import ROOT, Page, ask

MARKDOWN = re.compile(r"`|\]\(|(?<![\w*])\*\w[^*\n]*(?<! )\*(?![\w*])")
DARK = re.compile(r'^:root\[data-theme="dark"\] \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)


class ServedTest(DaemonTest):
    def test_paths(self):
        front = ask(self.daemon, "/")
        for name in pages.NAMES:
            for path in ("/help/" + name, "/help/%s.html" % name):
                answer = ask(self.daemon, path)
                self.assertEqual((answer.status, answer.headers["content-type"]), (200, "text/html; charset=utf-8"), path)
                for header in ("content-security-policy", "cache-control", "referrer-policy", "x-content-type-options"):
                    self.assertEqual(answer.headers[header], front.headers[header], path)
                again = ask(self.daemon, path, extra=b"If-None-Match: %s\r\n" % answer.headers["etag"].encode())
                self.assertEqual((again.status, again.body), (304, b""))

    def test_index(self):
        answer = ask(self.daemon, "/help")
        self.assertEqual((answer.status, answer.headers["location"], answer.body), (308, "./help/", b""))
        self.assertEqual(ask(self.daemon, "/help/").body, ask(self.daemon, "/help/index.html").body)

    def test_what_is_not_there(self):
        for path in ("/help/none", "/help/../help/checks", "/help/%2e%2e/help/checks", "/help/checks/", "/help/recipes/", "/help//checks", "/help.html", "/help/checks.html.html"):
            self.assertProblem(self.client().ask(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path.encode()), 404, "not_found")

    def test_all_sources_are_pages(self):
        self.assertGreaterEqual(len(pages.NAMES), 12)
        for name, page in pages.load(self.daemon).items():
            self.assertEqual(page.comments, [], name)
            self.assertEqual(page.open, [])
            self.assertEqual(page.loose, "", name)
            self.assertEqual(MARKDOWN.findall(page.prose), [], name)

    def test_dark_colours_are_those_of_the_page(self):
        colours = DARK.search((ROOT / "static" / "style.css").read_text(encoding="utf-8")).group(1)
        dark = ask(self.daemon, "/dark.css").body.decode()
        self.assertEqual(dark, ":root:not([data-theme]) {\n%s}\n" % colours)


class LinksTest(DaemonTest):
    def setUp(self):
        self.pages = pages.load(self.daemon)

    def test_links(self):
        """Each leads to something that is there, and to a place in it that is there."""
        seen = 0
        front = {"/": Page(ask(self.daemon, "/").body.decode())}
        for name, page in {**{"/help/" + name: page for name, page in self.pages.items()}, **front}.items():
            for link in page.links:
                whole = urllib.parse.urljoin("http://here" + name, link)
                parts = urllib.parse.urlsplit(whole)
                self.assertEqual(parts.netloc, "here", "%s: %s leads out of the service" % (name, link))
                answer = ask(self.daemon, parts.path)
                self.assertEqual(answer.status, 200, "%s: %s" % (name, link))
                if parts.fragment:
                    self.assertIn(parts.fragment, Page(answer.body.decode()).ids, "%s: %s" % (name, link))
                seen += 1
        self.assertGreater(seen, 100)

    def test_each_page_leads_to_each(self):
        for name, page in self.pages.items():
            for other in pages.NAMES:
                self.assertIn("./" if other == "index" else other, page.links, name)

    def test_readme(self):
        """Its links into the repository lead to files."""
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)
        self.assertTrue(links)
        for link in links:
            if "://" not in link:
                self.assertTrue((ROOT / link).exists(), link)

    def test_it_is_short(self):
        self.assertLessEqual(len((ROOT / "README.md").read_text(encoding="utf-8").split()), 1800)


if __name__ == "__main__":
    unittest.main()
