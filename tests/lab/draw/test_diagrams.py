"""The diagrams: who talks to whom, and a worker from the inside."""

from lab.draw.diagrams import draw_overview, draw_worker


def test_the_picture_is_the_same_every_time_and_says_in_words_who_does_what() -> None:
    picture = draw_worker()
    assert picture.png == draw_worker().png
    assert picture.words.startswith("The parent takes messages; children store results\n")
    for part in ("the parent takes", "acknowledges", "the child stores", "in no fixed order", "in the same Redis"):
        assert part in picture.words


def test_the_overview_is_the_same_every_time_and_says_in_words_who_talks_to_whom() -> None:
    picture = draw_overview()
    assert picture.png == draw_overview().png
    for part in ("a client sends", "the queue in Redis", "a worker takes", "calls Facebook", "in the same Redis"):
        assert part in picture.words
