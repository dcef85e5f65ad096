"""Pictures: data in, picture out.

May import: the plain records of `record`, and `basics`; never services, Redis or Celery, not even indirectly. Readers
may change what they like here: nothing but the look of a picture depends on it.
"""
