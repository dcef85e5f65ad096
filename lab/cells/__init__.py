"""What cells can do: the magics of the exercises (`%check`, `%solution`, `%%module`), and short interrupts.

May import: all rooms below. Readers may look: this is how the course checks an answer.

    exercises   what an exercise is, and how one is added; each stands in notebooks/exercises
    magics      `%check`, `%solution`: what a check says (basics/kernel refuses a Python that leaves asserts out)
    modules     `%%module`
    interrupts  an interrupted cell in one line
"""
