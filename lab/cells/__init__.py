"""What cells can do: the magics of the exercises (`%check`, `%solution`, `%%module`), and short interrupts.

May import: all rooms below. Readers may look: this is how the course checks an answer.
"""
