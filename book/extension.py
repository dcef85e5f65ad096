"""What the book needs beyond Sphinx, MyST-NB and the theme: links as the repository has them, listings of files,
words for pictures, and headings that search finds."""

import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote

from docutils import nodes
from myst_parser.slugs import github_slugify
from pygments.lexer import inherit
from pygments.lexers import PythonLexer, find_lexer_class_for_filename
from pygments.token import Comment
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.domains import Domain, ObjType
from sphinx.parsers import Parser
from sphinx.transforms import SphinxTransform

from tools.course import PARTS

README = "README.md"
PICTURES = {".png", ".jpg", ".svg"}
LINK = re.compile(r"\]\(([^)\s#:]+)")  # in Markdown, and so in the JSON of a notebook


def linked_files(root: Path, pages: Iterable[Path]) -> set[Path]:
    """The files of the repository that pages link to, if they are neither pages themselves nor pictures."""
    links = {page.parent / unquote(link) for page in pages for link in LINK.findall(page.read_text(encoding="utf-8"))}
    files = {path.resolve() for path in links if path.is_file()}
    return {path for path in files if path.is_relative_to(root) and path.suffix not in {".md", ".ipynb", *PICTURES}}


def contents(root: Path) -> str:
    """The map of the course, as the list of pages that stands beside each of them."""
    lists = []
    for part in PARTS:
        names = [each.path.relative_to(root).with_suffix("").as_posix() for each in part.notebooks if each.path]
        lists += ["```{toctree}", ":hidden:", f":caption: {part.number} · {part.title}", *names, "```"]
    return "\n".join(lists)


def read_source(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the contents under the README's title. Where `outputs` names a folder, take notebooks from there."""
    if docname == app.config.root_doc:
        title, _, text = source[0].partition("\n")
        source[0] = f"{title}\n\n{contents(app.srcdir)}\n{text}"
    run = Path(app.config.outputs) / f"{docname}.ipynb"
    if app.config.outputs and run.is_file():
        source[0] = run.read_text(encoding="utf-8")


class Listing(Parser):
    """A page that shows a file as it is, under its name."""

    supported = ("listing",)

    def parse(self, inputstring: str, document: nodes.document) -> None:
        env = document.settings.env
        env.metadata[env.docname]["orphan"] = True  # links lead to it, and not the contents
        lexer = find_lexer_class_for_filename(env.docname)
        section = nodes.section("", nodes.title("", env.docname))
        section += nodes.literal_block(inputstring, inputstring, language=lexer.aliases[0] if lexer else "text")
        document.note_implicit_target(section)
        document += section


class CellLexer(PythonLexer):
    """Python with magics, as in `%%check …`. (IPython's own lexer leaves the rest of such a cell uncoloured.)"""

    tokens = {"root": [(r"^%.*\n", Comment.Preproc), inherit]}


class Links(SphinxTransform):
    """Links that work in JupyterLab and on GitHub work in the book."""

    default_priority = 500  # before MyST looks for what they lead to

    def apply(self) -> None:
        for link in list(self.document.findall(pending_xref)):
            file = Path(link["reftarget"])  # relative to the repository, absolute outside of it
            if link["refdomain"] == "doc" and file.suffix in PICTURES and not file.is_absolute():
                self.lead_to_picture(link)
            elif link.get("reftargetid"):
                link["reftargetid"] = anchor(link["reftargetid"])
        for link in self.document.findall(nodes.reference):
            if link.get("id_link"):
                link["refuri"] = "#" + anchor(link["refuri"][1:])

    def lead_to_picture(self, link: pending_xref) -> None:
        """The site has the folders of the repository, so a picture's place in it is the same."""
        name = link["reftarget"]
        copy = Path(self.app.outdir, name)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(self.app.srcdir, name), copy)
        up = "../" * self.env.docname.count("/")
        link.replace_self(nodes.reference("", "", *link.children, refuri=up + name, internal=True))


def anchor(fragment: str) -> str:
    """The name that GitHub gives a heading, from that name or from JupyterLab's: `The-map`, `Why%3F`."""
    return github_slugify(unquote(fragment))


class Cells(SphinxTransform):
    """The words of a picture are its alternative."""

    default_priority = 500

    def apply(self) -> None:
        for container in self.document.findall(nodes.container):
            if container.get("nb_element") == "mime_bundle":
                self.give_words(container)

    def give_words(self, output: nodes.container) -> None:
        words = next((each.astext() for each in output if each["mime_type"] == "text/plain"), "")
        for image in output.findall(nodes.image):
            image["alt"] = words.replace("\n", "; ")
            image.attributes.pop("height", None)  # it follows from the width, on a phone as well


class Headings(Domain):
    """Each heading as something that search finds. (Sphinx's own search offers a heading only to those who type at
    least half of it.)"""

    name, label = "headings", "Headings"
    object_types = {"heading": ObjType("heading")}

    def get_objects(self) -> Iterator[tuple[str, str, str, str, str, int]]:
        for docname, metadata in self.env.metadata.items():
            for _, identifier, words in [*metadata.get("myst_slugs", {}).values()][1:]:  # the first is the page's own
                yield words, words, "heading", docname, identifier, 0

    def resolve_any_xref(self, *_: object) -> list[tuple[str, nodes.reference]]:
        return []  # MyST leads links to headings

    def get_type_name(self, type: ObjType, primary: bool = False) -> str:  # noqa: ARG002 (as Sphinx calls it)
        return type.lname


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Give the front page the name that a browser asks for."""
    if exception is None:
        front = Path(app.outdir, f"{app.config.root_doc}.html")
        shutil.copyfile(front, front.with_name("index.html"))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_config_value("outputs", "", "env")
    app.add_source_parser(Listing)
    app.add_lexer("ipython3", CellLexer)
    app.add_transform(Links)
    app.add_transform(Cells)
    app.add_domain(Headings)
    app.connect("source-read", read_source)
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
