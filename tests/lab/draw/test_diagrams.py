"""The picture of a worker from the inside."""

from lab.draw.diagrams import draw_worker


def test_the_picture_is_the_same_every_time_and_says_in_words_who_does_what() -> None:
    picture = draw_worker()
    assert picture.png == draw_worker().png
    assert picture.words.startswith("One message on its way through a worker\n")
    for part in ("the parent takes", "acknowledges", "the child stores", "in Redis"):
        assert part in picture.words
