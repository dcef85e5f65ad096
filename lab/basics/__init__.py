"""The cellar: small things that every room needs, such as errors, deadlines and places.

May import: nothing of `lab`. Readers may look, and rarely have a reason to.

    errors       `LabError`: what is wrong, in one sentence
    deadline     a block that must be over in time
    waiting      the one loop that waits until something is so
    interrupts   interrupts put off, and what is undone where a block is left early
    kernel       whether this is a notebook, and whether somebody's settings are in its way
    environment  the variables that the lab's processes get
    places       the course's folder, this machine's address
    request      one request as the mock Facebook saw it
    text         text cut to fit, seconds in words
"""
