"""What a `gallery.yaml` may say: frozen settings, every field described where it is defined."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from attention_gallery.manifest.blocks.word_spans import span_of
from attention_gallery.manifest.slugs import LONGEST_SLUG, SLUG
from attention_gallery.project_files import CONTENT, OUTPUT
from attention_gallery.texts.reading import joined_texts, texts_read
from attention_gallery.texts.words import Span, text_words

Slug = Annotated[str, Field(pattern=f"^{SLUG}$", max_length=LONGEST_SLUG)]


class Settings(BaseModel):
    """Base of all settings: frozen, unknown keys refused, no silent conversion."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ModelSpec(Settings):
    """One model whose attention is shown."""

    slug: Slug = Field(description="Name in addresses. Made from the title when it is left out.")
    title: str = Field(description="Name that readers see. Made from the source when it is left out.")
    source: str = Field(
        description="A hub id (`org/name`), a local folder or GGUF file (`./model`), or a path inside an "
        "installed Python package (`package:name/path`)."
    )
    revision: str | None = Field(default=None, description="Branch, tag or commit of a hub id.")
    dtype: Literal["float32", "bfloat16", "float16"] = Field(
        default="float32", description="Number format in which the model runs."
    )
    trust_remote_code: bool = Field(
        default=False,
        description="Run Python code that comes with the model, with all the rights of whoever builds. Only "
        "for a folder or hub id whose authors you trust.",
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        default="auto", description="Where the model runs. `auto` takes a GPU where there is one."
    )
    device_map: Literal["auto"] | None = Field(
        default=None,
        description="`auto` divides a model that is larger than one device among all that there are.",
    )
    attention: tuple[Literal["encoder", "decoder", "cross"], ...] = Field(
        default=(),
        description="Which kinds of attention of an encoder-decoder are shown, each as a model of its own. "
        "All three when left out.",
    )
    description: str = Field(default="", description="One or two sentences about the model.")
    aliases: tuple[Slug, ...] = Field(default=(), description="Former slugs, which redirect to this one.")
    draft: bool = Field(default=False, description="Leave the model out unless the build is given --drafts.")


class RelationSpec(Settings):
    """A relation that holds between two words of a sentence: what a head that knows of it would show."""

    from_: str | tuple[int, int] = Field(
        alias="from",
        description="The word that looks, as it stands in the text, or where it stands there: `[12, 14]`.",
    )
    to: str | tuple[int, int] = Field(description="The word that it should look at, written in the same way.")
    kind: str = Field(
        default="relation",
        description="What the relation is, for example coreference; `entity/employer` names its group, too.",
        min_length=1,
    )


class ParsedRelation(RelationSpec):
    """A relation that a parser found: its source is told wherever it is shown."""

    parser: str = Field(description="The parser with its version.")


class AnnotateSettings(Settings):
    """What finds relations and entities in sentences."""

    spacy: str = Field(
        description="Name of an installed spaCy pipeline, such as `en_core_web_sm`; `none` for no parses."
    )


class MessageSpec(Settings):
    """One message of a chat."""

    role: Literal["system", "user", "assistant", "tool"] = Field(description="Who says it.")
    content: str = Field(description="What is said.", min_length=1)


class SentenceSpec(Settings):
    """One sentence, pair of texts or chat that the models read."""

    slug: Slug = Field(description="Name in addresses. Made from the title, or else the text, when left out.")
    title: str = Field(description="Name that readers see. The text, shortened, when it is left out.")
    text: str = Field(
        default="",
        description="The sentence itself, exactly as the models read it. Required unless there is a `chat`.",
        min_length=1,
    )
    pair: str | None = Field(
        default=None,
        description="A second text, which the tokenizer joins to the first in the model's own way.",
        min_length=1,
    )
    chat: tuple[MessageSpec, ...] = Field(
        default=(),
        description="Messages instead of a text, put through the model's chat template.",
        min_length=1,
    )
    chat_options: dict[str, str | bool | int | float] = Field(
        default_factory=dict,
        description="What the chat template is given besides the messages, such as "
        "`{enable_thinking: false}`; which options there are is told by the model's template.",
    )
    target: str | None = Field(
        default=None,
        description="What the decoder of an encoder-decoder reads. It continues by itself when left out.",
        min_length=1,
    )
    generate: int = Field(
        default=0, ge=0, le=256, description="How many tokens a decoder-only model may add of its own."
    )
    truncate: bool = Field(
        default=False,
        description="Leave out what a model cannot read of a long text, instead of stopping with an error.",
    )
    models: tuple[Slug, ...] = Field(
        default=(),
        description="Slugs of the models that read it, such as those that know chats. All when left out.",
    )
    tags: tuple[str, ...] = Field(default=(), description="Words that group sentences on the home page.")
    focus: str | None = Field(
        default=None,
        description="A word of the text that is selected when a page opens, for example a pronoun.",
    )
    language: str | None = Field(
        default=None, description="Language of the text (BCP 47). The gallery's when left out."
    )
    relations: tuple[RelationSpec, ...] = Field(
        default=(), description="Relations that hold between words of the text; heads are probed for them."
    )
    annotate: AnnotateSettings | None = Field(
        default=None,
        description="What parses it instead of the gallery's `annotate`, as for another language.",
    )
    aliases: tuple[Slug, ...] = Field(default=(), description="Former slugs, which redirect to this one.")
    pages: bool = Field(
        default=True,
        description="Whether it has pages. If not, it is only captured, for probing heads.",
    )
    draft: bool = Field(
        default=False, description="Leave the sentence out unless the build is given --drafts."
    )

    def word_spans(self) -> tuple[Span, ...]:
        """Where its words stand in `joined`; the sides of relations begin and end with a word."""
        text = self.joined
        sides = [span_of(side, text) for relation in self.relations for side in (relation.from_, relation.to)]
        return text_words(text, [edge for span in sides for edge in span])

    def read_by(self, model: str) -> bool:
        """Whether the model with this slug reads the sentence."""
        return not self.models or model in self.models

    @property
    def texts(self) -> tuple[str, ...]:
        """All that the models are given to read."""
        return texts_read(self.text, self.pair, [message.content for message in self.chat])

    @property
    def joined(self) -> str:
        """All that the models are given to read, one text or message a line."""
        return joined_texts(self.texts)


class CollectedSentence(SentenceSpec):
    """A sentence of a treebank: its words are those of the treebank, and so are its relations."""

    words: tuple[Span, ...] = Field(description="Where its words stand in the text.")

    def word_spans(self) -> tuple[Span, ...]:
        """Where its words stand in the text."""
        return self.words


class CollectionFilter(Settings):
    """Which sentences of a treebank are taken."""

    relations: tuple[str, ...] = Field(
        default=(), description="Only sentences with one of these relations, such as `[nsubj, obj]`."
    )
    words: tuple[int, ...] = Field(
        default=(), description="Only sentences of so many words, the least and the greatest: `[5, 30]`."
    )


class CollectionSpec(Settings):
    """Sentences of a treebank in CoNLL-U, in the place of a single sentence."""

    conllu: str = Field(
        description="The file, inside the project and relative to the manifest.", min_length=1
    )
    slug: Slug | None = Field(
        default=None, description="Put before the slugs of its sentences, which are made from their sent_id."
    )
    limit: int | None = Field(
        default=None,
        ge=1,
        description="How many sentences are taken at most, the first that pass the filter.",
    )
    filter: CollectionFilter = Field(
        default_factory=CollectionFilter, description="Which sentences are taken. All when left out."
    )
    pages: bool = Field(
        default=True,
        description="Whether its sentences have pages. If not, they are only captured, for probing heads.",
    )
    models: tuple[Slug, ...] = Field(
        default=(), description="Slugs of the models that read them. All when left out."
    )
    tags: tuple[str, ...] = Field(default=(), description="Words that group the sentences on the home page.")
    language: str | None = Field(
        default=None, description="Language of the texts (BCP 47). The gallery's when left out."
    )
    draft: bool = Field(default=False, description="Leave them out unless the build is given --drafts.")


class ContrastSpec(Settings):
    """A comparison: two models on a sentence, two sentences in a model, or two heads of a model."""

    slug: Slug = Field(description="Name in addresses. Made from the title when it is left out.")
    title: str = Field(description="Name that readers see. Made from what is compared when it is left out.")
    description: str = Field(default="", description="One or two sentences about what is compared, and why.")
    model: Slug | None = Field(default=None, description="The model of two sentences or of two heads.")
    models: tuple[Slug, ...] = Field(default=(), description="Two models that read the same `sentence`.")
    sentence: Slug | None = Field(
        default=None,
        description="The sentence of two models or of two heads. Heads are compared on every sentence when "
        "it is left out.",
    )
    sentences: tuple[Slug, ...] = Field(
        default=(), description="Two sentences that the same `model` reads, such as a minimal pair."
    )
    heads: tuple[str, ...] = Field(default=(), description="Two heads of the `model`: `[L3H1, L5H11]`.")
    aliases: tuple[Slug, ...] = Field(default=(), description="Former slugs, which redirect to this one.")
    draft: bool = Field(
        default=False, description="Leave the contrast out unless the build is given --drafts."
    )


class CaptureSettings(Settings):
    """How attention is captured and kept."""

    precision: Literal["float16", "float32"] = Field(
        default="float16",
        description="Number format in the store. float16 takes half the room and is right to 0.00025.",
    )
    batch_tokens: int = Field(
        default=2048,
        ge=1,
        le=1_000_000,
        description="How many tokens run through a model at once, of texts of one length. Less takes less "
        "memory and changes no number.",
    )
    threads: int = Field(
        default=4,
        ge=1,
        le=1024,
        description="How many threads of the processor an operation takes, on every machine alike, since the "
        "last bits of numbers depend on it. More may be faster on a large machine.",
    )
    predictions: int = Field(
        default=5,
        ge=0,
        le=20,
        description="How many of the likeliest next tokens are kept for each token, or for each mask of a "
        "masked model, where a model has a language-modelling head. 0 for none.",
    )


class AnalysisSettings(Settings):
    """How heads are measured."""

    window: int = Field(default=3, ge=1, le=64, description="Distance in tokens that counts as local.")
    top_keys: int = Field(
        default=3, ge=1, le=10, description="How many keys are listed for each token and layer."
    )
    flow_limit: int = Field(
        default=16384,
        ge=0,
        le=10_000_000,
        description="How many maximum flows attention flow may take on a sentence: one for each layer and "
        "pair of tokens that can see each other. 0 for none.",
    )
    repeated_tokens: bool = Field(
        default=True,
        description="Whether each model reads random tokens twice over, to find its induction heads.",
    )
    measures: tuple[str, ...] = Field(
        default=(),
        description="Measures of your own: `module:function` of a Python file in the project, or the name of "
        "one that an installed package offers.",
    )

    @property
    def measure_files(self) -> tuple[str, ...]:
        """The files of the project that hold measures, relative to it."""
        modules = dict.fromkeys(name.partition(":")[0] for name in self.measures if ":" in name)
        return tuple(f"{module.replace('.', '/')}.py" for module in modules)


class LengthSettings(Settings):
    """The lengths at which heads are measured on one text."""

    sentence: Slug | None = Field(
        default=None,
        description="Slug of the sentence whose beginnings the models read. The longest when left out.",
    )
    text: str | None = Field(
        default=None, min_length=1, description="A text of its own instead, which has no pages."
    )
    words: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(8, 16, 32, 64, 128),
        description="How many words each beginning has, punctuation included. The text as a whole is the "
        "last where it is shorter.",
    )


class PageSettings(Settings):
    """Which pages are made."""

    heads: Literal["all", "notable", "none"] = Field(
        default="all", description="Heads that get a page of their own on each sentence."
    )
    downloads: bool = Field(
        default=True,
        description="Write attention.json beside explorers, heads.csv and heads.json beside pages of models.",
    )
    special_tokens: Literal["shown", "hidden"] = Field(
        default="shown",
        description="Whether pages open with the tokens that the tokenizer adds; a button changes it.",
    )


class GallerySettings(Settings):
    """The whole of a `gallery.yaml`."""

    title: str = Field(description="Name of the gallery, shown on every page.")
    description: str = Field(
        default="", description="One or two sentences for the home page and for search engines."
    )
    author: str = Field(default="", description="Who made the gallery, shown in the footer.")
    language: str = Field(default="en", description="Language of the pages (BCP 47).")
    base_url: str | None = Field(
        default=None,
        description="Address the site will be published at, with its path; for the sitemap and 404 page.",
    )
    theme: str = Field(
        default="default", description="Name of a folder in `themes/`, or a theme of the package."
    )
    theme_options: dict[str, str | bool | int | float] = Field(
        default_factory=dict, description="Options that the theme declares in its theme.yaml."
    )
    models: tuple[ModelSpec, ...] = Field(description="The models, in the order shown.", min_length=1)
    sentences: tuple[SentenceSpec, ...] = Field(
        description="The sentences, in the order shown.", min_length=1
    )
    contrasts: tuple[ContrastSpec, ...] = Field(
        default=(), description="What is compared, each on a page of its own, in the order shown."
    )
    capture: CaptureSettings = Field(
        default_factory=CaptureSettings, description="How attention is captured and kept."
    )
    analysis: AnalysisSettings = Field(
        default_factory=AnalysisSettings,
        description="How heads are measured. A list alone names measures of your own.",
    )
    annotate: AnnotateSettings | None = Field(
        default=None,
        description="What parses the sentences in the gallery's language, for relations that it finds. "
        "Nothing when left out.",
    )
    lengths: LengthSettings | None = Field(
        default=None,
        description="Measure heads on one text at several lengths, for a page of each model. Not measured "
        "when left out.",
    )
    pages: PageSettings = Field(default_factory=PageSettings, description="Which pages are made.")
    content: str = Field(default=CONTENT, description="Folder of Markdown notes, inside the project.")
    output: str = Field(default=OUTPUT, description="Folder that the site is written to, inside the project.")
