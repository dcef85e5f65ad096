# The course's own services. The slow layer, the packages, changes only with their versions.
FROM python:3.13-slim

# Docker may give the learner another number, so that files belong to whoever runs it; the home is for all of them.
RUN useradd --create-home --uid 1000 learner && chmod 777 /home/learner && python -m venv /venv
ENV PATH=/venv/bin:$PATH HOME=/home/learner
WORKDIR /course
COPY requirements.txt constraints.txt ./
RUN pip install --no-cache-dir -r requirements.txt
COPY --chown=learner:learner . .
USER learner
