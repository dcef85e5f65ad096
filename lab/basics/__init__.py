"""The cellar: small things that every room needs, such as errors, deadlines and places.

May import: nothing of `lab`. Readers may look, and rarely have a reason to.
"""
