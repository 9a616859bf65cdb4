"""Short articles for and against things, made from a seed, for the two ways to tell them apart.

`sentiment_by_rules.py` does it by rules written by hand, `sentiment_articles.py` learns it.

An article is of 24 words: five remarks on its subject among words that say nothing. Most of the
remarks, three or four of five, are of the writer's opinion, which is the label; the others aren't.
A remark is a word for what the writer thinks, or the opposite word with a negation before it
("not good", "hardly a failure"). Some words for an opinion come to everybody's mind, others only to
those who have read many articles.
"""

import numpy as np

ARTICLES, WORDS, REMARKS = 2000, 24, 5
#: The share of remarks that are a negation of the opposite, and of those in less common words.
NEGATED, UNCOMMON = 0.2, 0.2

COMMON = {
    True: ("good", "great", "excellent", "wonderful", "best", "love"),
    False: ("bad", "terrible", "awful", "poor", "worst", "hate"),
}
LESS_COMMON = {
    True: ("crisp", "lively", "rewarding", "moving", "generous", "polished", "gripping", "bargain"),
    False: ("stale", "clumsy", "tedious", "noisy", "overpriced", "sloppy", "failure", "regret"),
}
NEGATIONS = ("not", "never", "hardly", "anything-but")
NEUTRAL = (
    "the", "a", "this", "that", "it", "we", "they", "story", "film", "book", "dinner", "hotel",
    "city", "author", "actor", "again", "today", "then", "also", "very", "with", "from", "was",
    "is",
)  # fmt: skip

VOCABULARY = tuple(
    word
    for words in (*COMMON.values(), *LESS_COMMON.values(), NEGATIONS, NEUTRAL)
    for word in words
)


def write(seed: int) -> tuple[list[list[str]], np.ndarray]:
    """Return 2000 articles of 24 words each, and labels (2000,) int32: 1 for, 0 against."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(ARTICLES) % 2)
    return [_article(bool(label), random) for label in labels], labels.astype("int32")


def _article(opinion: bool, random: np.random.Generator) -> list[str]:
    agreeing = random.integers(REMARKS // 2 + 1, REMARKS)
    opinions = random.permutation([opinion] * agreeing + [not opinion] * (REMARKS - agreeing))
    remarks = [_remark(bool(each), random) for each in opinions]
    fillers = WORDS - sum(map(len, remarks))
    # Before each remark, and after the last, some of the words that say nothing.
    cuts = np.sort(random.integers(0, fillers, REMARKS, endpoint=True))
    gaps = np.diff([0, *cuts, fillers])
    article = []
    for gap, remark in zip(gaps, [*remarks, []], strict=True):
        article += [*random.choice(NEUTRAL, gap), *remark]
    return [str(word) for word in article]


def _remark(opinion: bool, random: np.random.Generator) -> list[str]:
    negated = random.random() < NEGATED
    words = LESS_COMMON if random.random() < UNCOMMON else COMMON
    word = random.choice(words[opinion != negated])
    return [random.choice(NEGATIONS), word] if negated else [word]
