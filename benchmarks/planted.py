"""Texts with a known answer: pairs labelled apart that some kinds of model receive as one and the same input.

    python benchmarks/planted.py          # list the sets, with a pair of each

Each set has about a hundred pairs, hidden among plain sentences that any model tells apart. No model that gets equal
inputs for a pair can be right on both of its rows, whatever its weights are: its accuracy on such pairs is 0.5 at most.

The kinds of model
    uncased       reads a sequence of lower-cased, accent-stripped WordPieces up to a window: all-MiniLM-L6-v2
    cased-static  averages vectors of cased subwords that fall back to bytes, no window: WordLlama
    bag           counts lower-cased words and pairs of neighbours, skips symbols, no window: TF-IDF over 1-2 grams
    char          reads every character in order, no window: merges nothing
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

FAMILIES = ("uncased", "cased-static", "bag", "char")


class Pair(NamedTuple):
    """Two texts that differ in one respect only; the first belongs to the first class, the second to the second."""

    first: str
    second: str


@dataclass(frozen=True, eq=False)
class Planted:
    """A labelled set of known truth.

    Attributes
    ----------
    name : str
    texts : tuple of str
    labels : tuple of int
        Index into ``classes``, one a text.
    classes : tuple of str
        Two of them, sorted.
    pairs : tuple of (int, int)
        Positions of the planted pairs. A family with a code in ``expected`` merges exactly these, the others none.
    expected : dict of str to dict of str to str
        Family to {code of the finding: cause}; {} where nothing may be found.
    window : int or None
        The window the set was made for; None when it plays no part.
    """

    name: str
    texts: tuple[str, ...]
    labels: tuple[int, ...]
    classes: tuple[str, ...]
    pairs: tuple[tuple[int, int], ...]
    expected: Mapping[str, Mapping[str, str]]
    window: int | None = None


def fill(templates: Iterable[str], **fillers: Sequence[str]) -> list[str]:
    """Every template with every combination of fillers."""
    names = list(fillers)
    return [
        template.format(**dict(zip(names, values, strict=True)))
        for template, values in product(templates, product(*fillers.values()))
    ]


COOKING = fill(
    (
        "Simmer the {food} with {herb} until the sauce thickens.",
        "Our cook tosses {food} in butter and {herb}.",
        "For supper they baked {food} under a crust of {herb}.",
        "You can serve the {food} cold with a little {herb}.",
    ),
    food=("lentils", "mushrooms", "potatoes", "carrots", "chickpeas", "onions", "beans", "noodles", "leeks", "prawns"),
    herb=("thyme", "parsley", "rosemary", "basil", "sage", "dill"),
)
ASTRONOMY = fill(
    (
        "The telescope followed {body} through a night of {weather}.",
        "Last winter the probe measured dust around {body} despite {weather}.",
        "Astronomers lost sight of {body} because of {weather}.",
        "Her thesis models the orbit of {body} observed during {weather}.",
    ),
    body=("Saturn", "Neptune", "Triton", "Europa", "Vega", "Sirius", "Ceres", "Pluto", "Titan", "Mercury"),
    weather=("frost", "drizzle", "fog", "moonlight", "turbulence", "wind"),
)

CAPITAL_WORDS = (
    "US", "Polish", "March", "Turkey", "IT", "WHO", "May", "China", "Mobile", "Reading", "Bill", "Rose", "Apple",
    "Amazon", "Java", "Mercury", "Nice", "Hope",
)  # fmt: skip
CAPITAL_FRAMES = (
    "Nobody in the office mentioned {word} in the first report.",
    "We were asked to look up {word} before the quiz.",
    "His note about {word} is still on the board.",
    "On the last page she underlined {word} twice.",
)
COMMANDS = fill(
    ("{verb} the {thing} before noon", "please {verb} the {thing} on the left", "do not {verb} the {thing} again"),
    verb=("close", "move", "check", "return", "label"),
    thing=("drawer", "engine", "parcel", "ladder", "window"),
)

ACCENTED = (
    "résumé", "exposé", "rosé", "pâté", "lamé", "maté", "piñata", "cliché", "façade", "naïve", "fiancé", "soufflé",
    "protégé", "crème", "jalapeño", "café", "señor", "Zürich", "Müller", "Beyoncé", "Chloé", "Málaga", "São", "touché",
    "déjà", "vórtice",
)  # fmt: skip
ACCENT_FRAMES = (
    "The editor circled {word} in the second draft.",
    "On the menu somebody had written {word} by hand.",
    "Type {word} into the search box and press enter.",
    "Her question about {word} came up after class.",
)
PLAIN = str.maketrans("éèêëàâáãäîïíôóõöùûúüçñÉ", "eeeeaaaaaiiioooouuuucnE")

ACTORS = (
    "baker",
    "child",
    "dog",
    "farmer",
    "lawyer",
    "man",
    "nurse",
    "queen",
    "robot",
    "teacher",
)  # in alphabetical order
ORDER_FRAMES = (
    "This morning the {a} chased the {b} across the yard.",
    "According to the witness the {a} owed the {b} some money.",
    "In the final scene the {a} forgave the {b} at last.",
)

CODE = fill(
    (
        "def {name}(value):{nl}    if value is None:{nl}        return {other}{nl}    return value",
        "for {other} in {name}:{nl}    print({other}){nl}    total += len({other})",
        "try:{nl}    {name}.open(){nl}except OSError:{nl}    {other}.warn(path)",
    ),
    name=("reader", "parser", "socket", "bucket"),
    other=("default", "logger", "line", "entry"),
    nl=("{nl}",),
)
VERSE = fill(
    (
        "Over the {place}{nl}the {bird} was calling,{nl}nobody answered.",
        "{bird} on the fence,{nl}rain across the {place}.",
        "Ingredients:{nl}one {bird}{nl}herbs from the {place}{nl}salt",
    ),
    place=("harbour", "meadow", "valley", "orchard"),
    bird=("heron", "sparrow", "goose", "swallow"),
    nl=("{nl}",),
)
COLUMNS = fill(
    ("total {item}:{gap}{number} boxes", "{item}{gap}{number}{gap}paid"),
    item=("copper", "flour", "paper", "cement"),
    number=("twelve", "forty", "sixty"),
    gap=("{gap}",),
)

BAD_GOOD = (("🥲", "🥳"), ("😭", "🤩"), ("🤮", "🥰"), ("🤬", "🙌"), ("💔", "🎉"), ("😡", "😍"), ("👎", "👍"))
BIRD_FISH = (("鸚", "鱇"), ("鵡", "鮟"), ("鷺", "鱒"), ("鶉", "鰤"), ("鸛", "鯵"), ("鵜", "鱸"), ("鶯", "鱚"))
SIGN_FRAMES = (
    "Just heard back from the {who} {sign}",
    "My whole review of the {who} is {sign} and nothing else.",
    "She stamped {sign} on the letter from the {who}.",
    "That message from the {who} was so {sign} today.",
)
SENDERS = (
    "bank", "school", "airline", "landlord", "dentist", "museum", "library", "bakery", "garage", "council", "clinic",
    "hotel", "theatre", "plumber", "editor", "choir", "gym", "embassy", "brewery", "florist", "tailor", "printer",
    "zoo", "pharmacy", "court",
)  # fmt: skip

EVEN_ODD = (
    ("four", "five"), ("six", "seven"), ("eight", "nine"), ("ten", "eleven"), ("twelve", "thirteen"),
    ("fourteen", "fifteen"), ("sixteen", "seventeen"), ("eighteen", "nineteen"), ("twenty", "twenty-one"),
    ("thirty-two", "thirty-three"), ("forty-four", "forty-five"), ("fifty-six", "fifty-seven"),
    ("sixty-eight", "sixty-seven"), ("seventy", "seventy-one"), ("eighty", "eighty-one"), ("ninety", "ninety-nine"),
)  # fmt: skip
NUMBER_FRAMES = (
    "The train leaves from platform {n} tonight.",
    "Exactly {n} people signed the petition.",
    "Page {n} is missing from my copy.",
    "He has lived here for {n} years.",
    "Room {n} is on the ground floor.",
    "Add {n} drops and stir.",
)

OPENINGS = fill(
    ("I bought this {thing} for my {who} last {season}.", "My {who} gave me this {thing} in {season}."),
    thing=("kettle", "tent", "printer", "lamp", "blender"),
    who=("sister", "father", "office", "neighbour"),
    season=("spring", "summer", "autumn", "winter"),
)
MIDDLE = fill(
    (
        "The {part} arrived in a plain box with {extra} and a short letter.",
        "We used the {part} nearly every day and kept {extra} in the hall.",
        "A friend asked about the {part} and about {extra} as well.",
        "The manual explains the {part} on one page and {extra} on the next.",
    ),
    part=("handle", "cable", "cover", "filter", "switch", "stand"),
    extra=("two screws", "a spare battery", "the old charger", "a cloth bag", "some tape"),
)
ENDINGS = (
    Pair("I want my money back.", "I would happily buy it again."),
    Pair("In the end it broke and I am angry.", "In the end it works and I am delighted."),
    Pair("What a waste of money.", "What a wonderful thing to own."),
)


def case_pairs() -> Iterator[Pair]:
    for frame, word in product(CAPITAL_FRAMES, CAPITAL_WORDS):
        yield Pair(frame.format(word=word), frame.format(word=word.lower()))
    for command in COMMANDS:
        yield Pair(command.upper(), command)


def accent_pairs() -> Iterator[Pair]:
    for frame, word in product(ACCENT_FRAMES, ACCENTED):
        yield Pair(frame.format(word=word), frame.format(word=word.translate(PLAIN)))


def order_pairs() -> Iterator[Pair]:
    for frame, i, j in product(ORDER_FRAMES, range(len(ACTORS)), range(len(ACTORS))):
        if i < j:
            a, b = ACTORS[i], ACTORS[j]
            yield Pair(frame.format(a=a, b=b), frame.format(a=b, b=a))


def white_space_pairs() -> Iterator[Pair]:
    for text in [*CODE, *VERSE]:
        yield Pair(text.format(nl="\n"), " ".join(text.format(nl=" ").split()))
    for text in COLUMNS:
        yield Pair(text.format(gap="\t"), text.format(gap=" "))
    for text in ASTRONOMY[:12]:
        yield Pair(text.replace(" ", "  "), text)


def sign_pairs(signs: Sequence[tuple[str, str]]) -> Iterator[Pair]:
    """Each frame and sender once: a model that drops the sign would merge more than a pair otherwise."""
    for i, (frame, who) in enumerate(product(SIGN_FRAMES, SENDERS)):
        first, second = signs[i % len(signs)]
        yield Pair(frame.format(who=who, sign=first), frame.format(who=who, sign=second))


def number_pairs() -> Iterator[Pair]:
    for frame, (even, odd) in product(NUMBER_FRAMES, EVEN_ODD):
        yield Pair(frame.format(n=even), frame.format(n=odd))


def truncation_pairs(window: int, rng: random.Random) -> Iterator[Pair]:
    """Texts of ``window`` words or more before they part; a word is one token at least, so the parting is cut off."""
    for opening in OPENINGS:
        words: list[str] = opening.split()
        while len(words) < window:
            words += rng.choice(MIDDLE).split()
        start, ending = " ".join(words), rng.choice(ENDINGS)
        yield Pair(f"{start} {ending.first}", f"{start} {ending.second}")


def hide(
    name: str,
    classes: tuple[str, str],
    pairs: Iterable[Pair],
    expected: Mapping[str, Mapping[str, str]],
    rng: random.Random,
    *,
    n_pairs: int = 100,
    n_plain: int = 100,
    window: int | None = None,
) -> Planted:
    """Draw pairs, mix them with as many plain sentences of each class as ``n_plain`` halved, and shuffle the rows."""
    chosen = list(pairs)
    rng.shuffle(chosen)
    chosen = chosen[:n_pairs]
    taken = {text for pair in chosen for text in pair}
    rows = [(text, label, number) for number, pair in enumerate(chosen) for label, text in enumerate(pair)]
    for label, pool in enumerate((ASTRONOMY, COOKING)):
        free = [text for text in pool if text not in taken]
        rows += [(text, label, -1) for text in rng.sample(free, n_plain // 2)]
    rng.shuffle(rows)
    places: dict[int, list[int]] = {}
    for i, (_, _, number) in enumerate(rows):
        if number >= 0:
            places.setdefault(number, []).append(i)
    return Planted(
        name,
        tuple(text for text, _, _ in rows),
        tuple(label for _, label, _ in rows),
        classes,
        tuple((first, second) for first, second in sorted(places.values())),
        {family: expected.get(family, {}) for family in FAMILIES},
        window,
    )


def planted_tasks(seed: int = 0, window: int = 256) -> list[Planted]:
    """The sets of known truth, 200 to 300 rows each.

    case
        A name or a common word ("US", "us"), and whole sentences in capitals. Merged by whatever lower-cases.
    accents
        "résumé" and "resume". Merged by whatever strips accents; lower-casing alone does not.
    order
        Who did it to whom, labelled by whether the actor comes earlier in the alphabet than the other one. Merged by an
        average of word vectors; pairs of neighbouring words still tell them apart.
    white space
        Code, verse and columns laid out or on one line, and double spaces. Merged by whatever splits at white space.
    emoji
        Good or bad by an emoji alone: an unknown token to WordPiece, a symbol that a bag of words skips.
    rare Han
        A character with the bird or the fish radical, in an English sentence: unknown to an English WordPiece, but a
        word like any other to a bag that was fitted on these texts.
    truncation
        Reviews whose verdict comes after ``window`` tokens. Merged by a sequence model with that window or a smaller
        one; never by an average or a bag of all words.
    number words
        "seventeen" and "eighteen", labelled by parity. Close in every feature space and merged by no model: a proof
        that names them is wrong.
    clean
        Cooking and astronomy without any pair: nothing may be found.

    Parameters
    ----------
    seed : int
        Chooses pairs, plain sentences and the order of the rows.
    window : int
        Most tokens the sequence models under test can see, special ones counted.
    """

    def rng(name: str) -> random.Random:
        return random.Random(f"{seed} {name}")

    def found(code: str, cause: str, *families: str) -> dict[str, dict[str, str]]:
        return {family: {code: cause} for family in families}

    case = found("IN01", "case", "uncased", "bag")
    accents = found("IN01", "accents", "uncased")
    order = found("IN01", "order", "cased-static")
    space = found("IN01", "white space", "uncased", "bag")
    emoji = found("IN03", "unknown token", "uncased", "bag")
    han = found("IN03", "unknown token", "uncased")
    cut = found("IN02", "truncation", "uncased")
    return [
        hide("case", ("capital", "plain"), case_pairs(), case, rng("case")),
        hide("accents", ("accented", "plain"), accent_pairs(), accents, rng("accents")),
        hide("order", ("earlier", "later"), order_pairs(), order, rng("order")),
        hide("white space", ("laid out", "one line"), white_space_pairs(), space, rng("white space")),
        hide("emoji", ("bad", "good"), sign_pairs(BAD_GOOD), emoji, rng("emoji")),
        hide("rare Han", ("bird", "fish"), sign_pairs(BIRD_FISH), han, rng("rare Han")),
        hide(
            "truncation",
            ("negative", "positive"),
            truncation_pairs(window, rng("reviews")),
            cut,
            rng("truncation"),
            window=window,
        ),
        hide("number words", ("even", "odd"), number_pairs(), {}, rng("number words")),
        hide("clean", ("astronomy", "cooking"), (), {}, rng("clean"), n_plain=240),
    ]


def main() -> None:
    for task in planted_tasks():
        print(f"{task.name:14} {len(task.texts)} rows, {len(task.pairs)} pairs")
        for family, codes in task.expected.items():
            print(f"    {family:14} {', '.join(f'{code} ({cause})' for code, cause in codes.items()) or 'nothing'}")
        for i in task.pairs[0] if task.pairs else (0, 1):
            print(f"    {task.classes[task.labels[i]]:14} {task.texts[i][-90:]!r}")


if __name__ == "__main__":
    main()
