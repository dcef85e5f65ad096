"""Services that run: `lab.start()`, Redis, workers, the mock Facebook, and the keeper that ends them all.

May import: `basics`. Nothing here draws. Readers may look; a slip here leaves processes behind, so change with care.
"""
