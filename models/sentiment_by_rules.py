"""Tells articles for something from articles against it by rules written by hand: no learning.

The notes' example of traditional programming. The rules count the good and the bad words that
came to their author's mind; one after "not" or "never" counts for the other side. They fail where
words are used that their author didn't think of, for an opinion or to negate one.
`sentiment_articles.py` learns both from examples.

    python sentiment_by_rules.py        prints the accuracy
"""

from collections.abc import Sequence

from articles import write

GOOD = {"good", "great", "excellent", "wonderful", "best", "love"}
BAD = {"bad", "terrible", "awful", "poor", "worst", "hate"}
NEGATIONS = {"not", "never"}


def is_for(article: Sequence[str]) -> bool:
    """Tell whether an article is for its subject; where the rules see nothing, it is."""
    score = 0
    for before, word in zip(["", *article], article, strict=False):
        opinion = (word in GOOD) - (word in BAD)
        score += -opinion if before in NEGATIONS else opinion
    return score >= 0


def accuracy(seed: int) -> float:
    """Return the share of a seed's articles that the rules get right."""
    articles, labels = write(seed)
    right = [is_for(each) == bool(label) for each, label in zip(articles, labels, strict=True)]
    return sum(right) / len(right)


if __name__ == "__main__":
    print(f"rules written by hand get {accuracy(seed=0):.1%} of the articles right")
